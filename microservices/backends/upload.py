"""A submission's body: multipart of any size, streamed, its length known before, and how much of it has left.

Written here and not by the HTTP library, because whether a job can exist at the site hangs on one fact that only the
writer knows: was the last byte handed over?
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
from yarl import URL

from microservices.backends.base import InputFile, SiteConnection, SiteError
from microservices.backends.failures import Sent, translate_failures
from microservices.backends.session import Deadlines, build_stream_timeout

# Small enough that one piece leaves within the idle deadline on a slow line (bytes).
PIECE_BYTES = 256 * 1024


@dataclass(frozen=True)
class FilePart:
    """A file under the name that the site shall see, in the form's field `field`."""

    filename: str
    file: InputFile
    field: str = "files"


class UploadBody:
    """`sent` moves from `nothing` over `partial` to `all` just *before* the last byte is handed to the connection.

    A body that is cut while `partial` is shorter than its Content-Length: no server can have accepted it.
    """

    def __init__(self, fields: Sequence[tuple[str, str]], files: Sequence[FilePart]) -> None:
        self.boundary = secrets.token_hex(20)
        self.sent: Sent = "nothing"
        self.failure: SiteError | None = None
        self._parts = files
        self._opening = "".join(self._write_field(name, value) for name, value in fields).encode()
        self._closing = f"--{self.boundary}--\r\n".encode()
        self._heads = [self._write_head(part) for part in files]
        texts = len(self._opening) + len(self._closing)
        self.length = texts + sum(len(head) + part.file.size + 2 for head, part in zip(self._heads, files, strict=True))

    @property
    def headers(self) -> dict[str, str]:
        return {
            "Content-Type": f"multipart/form-data; boundary={self.boundary}",
            "Content-Length": str(self.length),
        }

    def _write_field(self, name: str, value: str) -> str:
        return f'--{self.boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'

    def _write_head(self, part: FilePart) -> bytes:
        return (
            f'--{self.boundary}\r\nContent-Disposition: form-data; name="{part.field}"; filename="{part.filename}"\r\n'
            "Content-Type: application/gzip\r\n\r\n"
        ).encode()

    async def stream(self, on_piece: Callable[[], None]) -> AsyncIterator[bytes]:
        """The body's pieces; `on_piece` is called as each is asked for, so a stalled connection shows."""
        self.sent = "partial"
        yield self._opening
        for part, head in zip(self._parts, self._heads, strict=True):
            yield head
            async for piece in self._read_file(part):
                on_piece()
                yield piece
            yield b"\r\n"
        self.sent = "all"
        on_piece()
        yield self._closing

    async def _read_file(self, part: FilePart) -> AsyncIterator[bytes]:
        left = part.file.size
        try:
            async for chunk in part.file.open():
                left -= len(chunk)
                if left < 0:
                    break
                for start in range(0, len(chunk), PIECE_BYTES):
                    yield chunk[start : start + PIECE_BYTES]
        except Exception as error:
            self.failure = _refuse_input(part, f"could not be read ({type(error).__name__})")
            raise
        if left:
            self.failure = _refuse_input(part, f"is not {part.file.size} bytes long, as recorded")
            raise self.failure


@asynccontextmanager
async def open_upload(
    session: aiohttp.ClientSession,
    connection: SiteConnection,
    deadlines: Deadlines,
    url: URL,
    headers: dict[str, str],
    body: UploadBody,
) -> AsyncIterator[aiohttp.ClientResponse]:
    """POST the body; gives the answer, which may come at any time, also while the body is still on its way.

    Silence is borne for `upload_idle_s` while the body travels, and for `answer_s` afterwards. Raises `SiteError` with
    what is known to be `sent`.
    """
    loop = asyncio.get_running_loop()

    def postpone() -> None:
        deadline.reschedule(loop.time() + (deadlines.answer_s if body.sent == "all" else deadlines.upload_idle_s))

    with translate_failures(lambda: body.sent):
        async with (
            asyncio.timeout(None) as deadline,
            session.post(
                url,
                data=body.stream(postpone),
                headers={**headers, **body.headers},
                timeout=build_stream_timeout(connection, None),
                allow_redirects=False,
            ) as response,
        ):
            yield response


def _refuse_input(part: FilePart, what: str) -> SiteError:
    return SiteError(
        f"The input file {part.file.filename} {what}, so its upload to the site was broken off.",
        code="input_unreadable",
        whose="platform",
        fix="The platform tries again; if it stays so, upload the file again.",
        sent="partial",
    )
