"""Names of files: those that sites give, which are foreign input, and those under which sites get ours."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath

from microservices.backends.base import InputFile, ResultRefusedError, SiteError

_DRIVE = re.compile("[A-Za-z]:")


def check_filename(name: str) -> str:
    """A relative name without tricks; raises `ResultRefusedError` for one that would leave its folder.

    A colon is harmless (workflows name regions so: `chr20:1-5000`) but in the name of a drive.
    """
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or _DRIVE.match(name) or any(part in ("", ".", "..") for part in parts):
        raise ResultRefusedError(
            f"The site offers a file under an unsafe name: {name[:100]!r}.", code="filename_unsafe", permanent=True
        )
    return name


def name_inputs(files: tuple[InputFile, ...], taken: Iterable[str] = ()) -> list[tuple[str, InputFile]]:
    """Each file with a base name of its own that ends in `.vcf.gz` and holds no letter that a site would change.

    Sites ignore other files silently, and of two with one name the later replaces the earlier. Raises `SiteError` (the
    input's) for no files, or a file of another kind.
    """
    if not files:
        raise _refuse_input("The run has no input file.", "no_input_files")
    named: list[tuple[str, InputFile]] = []
    used = {name.lower() for name in taken}
    for file in files:
        stem = _read_stem(file.filename)
        name, number = f"{stem}.vcf.gz", 1
        while name.lower() in used:
            number += 1
            name = f"{stem}-{number}.vcf.gz"
        used.add(name.lower())
        named.append((name, file))
    return named


def _read_stem(filename: str) -> str:
    base = PurePosixPath(filename.replace("\\", "/")).name
    if not base.lower().endswith(".vcf.gz") or len(base) == len(".vcf.gz"):
        raise _refuse_input(f"The file {filename!r} is not named .vcf.gz.", "filename_unusable")
    return re.sub(r"[^A-Za-z0-9._-]", "_", base[: -len(".vcf.gz")])[:100]


def _refuse_input(message: str, code: str) -> SiteError:
    return SiteError(
        message, code=code, permanent=True, whose="input", fix="Give bgzip-compressed VCF files (.vcf.gz)."
    )
