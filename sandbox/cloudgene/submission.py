"""Reading a submission: which fields there are, and what becomes of their values on arrival."""

import html
import re
import shutil
from dataclasses import dataclass, field
from html.entities import codepoint2name
from pathlib import Path, PurePosixPath

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.types import Message

from sandbox.cloudgene.errors import FrameworkError

PREFIX = "input-"
CHECKBOXES = {"aesEncryption", "meta", "check1", "check2"}
FIELDS = CHECKBOXES | {
    "files",
    "refpanel",
    "build",
    "population",
    "phasing",
    "r2Filter",
    "mode",
    "password",
    "job-name",
}
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_MAX_PARTS = 10_000


@dataclass
class Submission:
    """Values as they are stored, uploads by base name, and the names of fields that nobody knows."""

    choices: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, UploadFile] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)


async def read_submission(request: Request, max_bytes: int) -> Submission:
    """Takes in the whole body before anything is judged. Raises FrameworkError 400, 413 and 415."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise FrameworkError(415, "Content Type not allowed. Allowed types: [multipart/form-data]")
    return _sort_fields(await _parse_body(request, max_bytes))


async def _parse_body(request: Request, max_bytes: int) -> FormData:
    """Large parts go to temporary files as they come in."""
    if int(request.headers.get("content-length") or 0) > max_bytes:
        raise FrameworkError(413)
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > max_bytes:
            raise FrameworkError(413)
        return message

    stream = Request(request.scope, receive).stream()
    try:
        parser = MultiPartParser(request.headers, stream, max_files=_MAX_PARTS, max_fields=_MAX_PARTS)
        return await parser.parse()
    except (MultiPartException, KeyError) as error:
        raise FrameworkError(400, f"The multipart body cannot be read: {error}") from error


def _sort_fields(form: FormData) -> Submission:
    """A later field or file of the same name replaces the earlier."""
    submission = Submission()
    for sent, value in form.multi_items():
        name = sent.removeprefix(PREFIX)
        if name not in FIELDS:
            submission.unknown.append(sent)
        elif isinstance(value, UploadFile):
            base = PurePosixPath((value.filename or "").replace("\\", "/")).name
            if name == "files" and base:
                submission.uploads[base] = value
        elif name != "files":
            submission.choices[name] = "true" if name in CHECKBOXES else store_value(value)
    return submission


def store_value(value: str) -> str:
    """Escaped as HTML, and what looks like a number becomes one: `007` is 7 and `1.50` is 1.5."""
    if _NUMBER.fullmatch(value):
        return str(float(value)) if "." in value else str(int(value))
    return "".join(_escape(letter) for letter in value)


def _escape(letter: str) -> str:
    code = ord(letter)
    if code < 128:
        return html.escape(letter) if letter != "'" else letter
    return f"&{codepoint2name[code]};" if code in codepoint2name else f"&#{code};"


async def save_uploads(submission: Submission, folder: Path) -> None:
    """Writes the files under their base names."""
    for name, upload in submission.uploads.items():
        await run_in_threadpool(_copy, upload, folder / name)


def _copy(upload: UploadFile, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file, 1024**2)
