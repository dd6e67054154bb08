"""Names that sites give to files: foreign input, which must not lead out of a folder."""

from microservices.backends.base import ResultRefusedError


def check_filename(name: str) -> str:
    """A relative name without tricks; raises `ResultRefusedError` for one that would leave its folder."""
    parts = name.split("/")
    if not name.isprintable() or "\\" in name or ":" in parts[0] or any(part in ("", ".", "..") for part in parts):
        raise ResultRefusedError(
            f"The site offers a file under an unsafe name: {name[:100]!r}.", code="filename_unsafe", permanent=True
        )
    return name
