"""Every error as an RFC 9457 problem document with a stable code, whoever raised it."""

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as RuleError
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views import defaults
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.fields import get_error_detail

from django_app.config.requests import request_id_var
from microservices.kernel.errors import (
    ConflictError,
    ForbiddenError,
    HttpError,
    InvalidInputError,
    NotFoundError,
    ServiceError,
    TooLargeError,
)


def answer_exception(error: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """REST framework's exception handler; None leaves a fault of ours to Django, which logs it."""
    problem = _translate(error)
    if problem is None:
        return None
    connection = transaction.get_connection()
    if connection.in_atomic_block:
        transaction.set_rollback(True)
    return problem_response(problem)


def problem_response(error: ServiceError) -> JsonResponse:
    return JsonResponse(
        error.to_problem(request_id_var.get()),
        status=error.status,
        headers=error.headers,
        content_type="application/problem+json",
    )


def _translate(error: Exception) -> ServiceError | None:
    match error:
        case ServiceError():
            return error
        case ValidationError():
            return explain_findings(error.detail)
        case RuleError():
            return explain_findings(get_error_detail(error))
        case Http404() | NotFound():
            return NotFoundError("There is nothing here with this id.")
        case PermissionDenied():
            return ForbiddenError()
        case RequestDataTooBig():
            return TooLargeError("The body is larger than 2 MiB.")
        case IntegrityError():
            return ConflictError("Somebody else changed this at the same moment. Load it again and repeat your change.")
        case APIException() if error.status_code == 400:
            return InvalidInputError(str(error.detail))
        case APIException():
            return HttpError(error.status_code, str(error.detail))
    return None


def explain_findings(findings: Any) -> InvalidInputError:
    errors = [{"field": field or "body", "message": message} for field, message in _flatten(findings, "")]
    return InvalidInputError(f"{errors[0]['field']}: {errors[0]['message']}", errors=errors)


def _flatten(findings: Any, place: str) -> Iterator[tuple[str, str]]:
    """Nested findings as (path, message) pairs; `non_field_errors` belong to the thing itself."""
    if isinstance(findings, dict):
        for name, inner in findings.items():
            part = "" if name == "non_field_errors" else str(name)
            yield from _flatten(inner, ".".join(filter(None, (place, part))))
    elif isinstance(findings, list):
        for inner in findings:
            yield from _flatten(inner, place)
    else:
        yield place, str(findings)


def _is_page(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/")


def answer_bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_page(request):
        return defaults.bad_request(request, exception)
    return problem_response(_translate(exception) or InvalidInputError("The request cannot be understood."))


def answer_forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return defaults.permission_denied(request, exception) if _is_page(request) else problem_response(ForbiddenError())


def answer_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _is_page(request):
        return defaults.page_not_found(request, exception)
    return problem_response(HttpError(404, "Not found"))


def answer_fault(request: HttpRequest) -> HttpResponse:
    return defaults.server_error(request) if _is_page(request) else problem_response(ServiceError())
