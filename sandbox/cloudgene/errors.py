"""Two kinds of error bodies: Cloudgene's own, and those of the web framework below it."""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse


class CloudgeneError(Exception):
    """Answered with `success: false`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class FrameworkError(Exception):
    """Answered by the framework, without a field `success`; `detail` defaults to the reason of the status."""

    def __init__(self, status: int, detail: str = "") -> None:
        self.status = status
        self.reason = HTTPStatus(status).phrase
        self.detail = detail or self.reason
        super().__init__(self.detail)


def describe_error(error: FrameworkError, path: str) -> dict[str, Any]:
    """The useful text is in the embedded error, the general one outside."""
    embedded: dict[str, Any] = {"message": error.detail, "_links": {}, "_embedded": {}, "path": None, "logref": None}
    return {
        "_links": {"self": [{"href": path, "templated": False}]},
        "_embedded": {"errors": [embedded]},
        "message": error.reason,
        "path": None,
        "logref": None,
    }


def answer_framework_error(request: Request, error: FrameworkError) -> JSONResponse:
    """JSON like that of Micronaut."""
    return JSONResponse(describe_error(error, request.url.path), error.status)


def install_handlers(app: FastAPI) -> None:
    """Every answer that is no success has one of the two bodies."""

    @app.exception_handler(CloudgeneError)
    async def answer_own(request: Request, error: CloudgeneError) -> JSONResponse:
        return JSONResponse({"message": error.message, "success": False}, error.status)

    @app.exception_handler(FrameworkError)
    async def answer_framework(request: Request, error: FrameworkError) -> JSONResponse:
        return answer_framework_error(request, error)

    @app.exception_handler(RequestValidationError)
    async def answer_conversion(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        words = f"Failed to convert argument [{first['loc'][-1]}]: {first['msg']}"
        return answer_framework_error(request, FrameworkError(400, words))

    @app.exception_handler(Exception)
    async def answer_fault(request: Request, error: Exception) -> JSONResponse:
        return answer_framework_error(request, FrameworkError(500))
