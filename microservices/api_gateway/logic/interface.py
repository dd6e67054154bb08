"""The user interface's built files, held in memory: nothing else can be reached, however it is asked for."""

import asyncio
import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from microservices.api_gateway.logic.headers import Header
from microservices.api_gateway.logic.upstreams import is_plain

_NOT_OURS = frozenset(
    {"api", "internal", "metrics", "admin", "docs", "redoc", "openapi.json", "health", ".well-known", "assets"}
)
_NAMED_BY_CONTENT = re.compile(r"/assets/.*-[A-Za-z0-9_-]{8,}\.\w+")
_PACKED_FROM_BYTES = 1024
_PACKABLE = ("text/", "application/json", "application/manifest+json", "image/svg+xml")
# What this machine believes of endings is not asked, except for rare ones.
_KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
# Scripts are files of ours and nothing else; styles may be inline, since the component library writes them so.
_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
    "font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
_ON_ALL: list[Header] = [
    (b"content-security-policy", _POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"vary", b"Accept-Encoding"),
]


@dataclass(frozen=True)
class InterfaceFile:
    """`packed`: gzip, where that is worth it."""

    content: bytes
    packed: bytes | None
    etag: bytes
    headers: list[Header]

    def answer(self, accept_encoding: bytes, known: bytes) -> tuple[int, list[Header], bytes]:
        """(status, headers, body) for a client that takes `accept_encoding` and has `known` (`If-None-Match`)."""
        if self.etag in known:
            return 304, self.headers, b""
        if self.packed is not None and b"gzip" in accept_encoding:
            length = (b"content-length", str(len(self.packed)).encode())
            return 200, [*self.headers, (b"content-encoding", b"gzip"), length], self.packed
        return 200, [*self.headers, (b"content-length", str(len(self.content)).encode())], self.content


def is_page(raw_path: bytes) -> bool:
    """May the address be one of the interface's own pages? They are its script's affair, and have no extension."""
    path = raw_path.decode("latin-1").lower()
    if b"%" in raw_path or not is_plain(raw_path):
        return False
    return path.split("/")[1] not in _NOT_OURS and "." not in path.rpartition("/")[2]


class Interface:
    """What is built in `directory` (it may be absent); read again when it has been built anew."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._built: tuple[int, int] | None = None
        self._files: dict[str, InterfaceFile] = {}
        self._loading = asyncio.Lock()

    async def find(self, raw_path: bytes) -> InterfaceFile | None:
        built = _look(self._directory)
        if built != self._built:
            async with self._loading:
                if built != self._built:
                    self._files = await asyncio.to_thread(_read_files, self._directory) if built else {}
                    self._built = built
        file = self._files.get(raw_path.decode("latin-1"))
        return file or (self._files.get("/index.html") if is_page(raw_path) else None)


def _look(directory: Path) -> tuple[int, int] | None:
    """When it was built, in nanoseconds; None when there is nothing."""
    try:
        return (directory / "index.html").stat().st_mtime_ns, directory.stat().st_mtime_ns
    except OSError:
        return None


def _read_files(directory: Path) -> dict[str, InterfaceFile]:
    files: dict[str, InterfaceFile] = {}
    root = directory.resolve()
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        own = not any(part.startswith(".") for part in path.relative_to(root).parts)
        if own and path.is_file() and path.resolve().is_relative_to(root):
            files[f"/{name}"] = _read_file(f"/{name}", path.read_bytes())
    return files


def _read_file(name: str, content: bytes) -> InterfaceFile:
    kind = _KINDS.get(Path(name).suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    packable = kind.startswith(_PACKABLE) and len(content) >= _PACKED_FROM_BYTES
    caching = b"public, max-age=31536000, immutable" if _NAMED_BY_CONTENT.fullmatch(name) else b"no-cache"
    etag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'.encode()
    charset = "; charset=utf-8" if kind.startswith("text/") else ""
    headers = [
        (b"content-type", (kind + charset).encode()),
        (b"cache-control", caching),
        (b"etag", etag),
        *_ON_ALL,
    ]
    return InterfaceFile(content, gzip.compress(content, mtime=0) if packable else None, etag, headers)
