"""The result archives: AES-256 zip files, one for each chromosome."""

from pathlib import Path

import pyzipper  # type: ignore[import-untyped]

from sandbox.cloudgene.pipeline.task import PipelineError

_SHELL_CHARACTERS = set("$`\\")


def pack_archive(path: Path, members: list[Path], password: str) -> None:
    """Appears under its name only when it is whole.

    Characters that a shell takes for its own between double quotes break the archive step of the real pipeline,
    so they fail here as well. Raises PipelineError.
    """
    if _SHELL_CHARACTERS & set(password):
        raise PipelineError("7z: command line broken by the password: use letters and digits only.")
    partial = path.with_suffix(".part")
    options = {"compression": pyzipper.ZIP_STORED, "encryption": pyzipper.WZ_AES}
    with pyzipper.AESZipFile(partial, "w", **options) as archive:
        archive.setpassword(password.encode())
        for member in members:
            archive.write(member, member.name)
    partial.replace(path)
