"""Raw bodies of requests, as their bytes arrive."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect

from microservices.file_manager.errors import IncompleteUploadError, MultipartBodyError

# For the API's description: FastAPI sees no body, since nothing may read it before us.
RAW_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


def announced_size(request: Request) -> int | None:
    """`Content-Length` in bytes; None for a chunked body. The server has refused what is not a number."""
    given = request.headers.get("content-length")
    return int(given) if given is not None else None


def refuse_multipart(request: Request) -> None:
    """A form's boundaries would become part of the file. Other types are taken: curl calls raw bytes a form's too."""
    if request.headers.get("content-type", "").strip().lower().startswith("multipart/"):
        raise MultipartBodyError(
            "Send the raw bytes as the body and not as a form, as curl does with: --data-binary @cohort.vcf.gz"
        )


async def stream_body(request: Request) -> AsyncIterator[bytes]:
    """Raises `IncompleteUploadError` when the client is gone before the last byte."""
    try:
        async for chunk in request.stream():
            if chunk:
                yield chunk
    except ClientDisconnect as error:
        raise IncompleteUploadError("The connection ended before the last byte. Send the file again.") from error
