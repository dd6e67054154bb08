"""`ETag` and `If-Match` (RFC 9110, 8.8.3 and 13.1.1): whoever says which state they change overwrites nobody's."""

from uuid import UUID

from django.utils.http import parse_etags, quote_etag
from rest_framework.request import Request
from rest_framework.response import Response

from django_app.imputation.concurrency import Curated, describe_news, tell_state
from microservices.kernel.errors import InvalidInputError, ServiceError


class PreconditionFailedError(ServiceError):
    status, code, title = 412, "precondition_failed", "Somebody else changed this first"


def tell_etag(model: type[Curated], id_: UUID) -> str:
    return quote_etag(tell_state(model, id_))


def add_etag(response: Response, etag: str) -> Response:
    response["ETag"] = etag
    return response


def check_precondition(request: Request, thing: Curated) -> None:
    """Under the subject's lock. Raises `PreconditionFailedError`; without the header anything goes."""
    given = request.headers.get("If-Match")
    if given is None or given.strip() == "*":
        return
    known = parse_etags(given)
    if not known:
        raise InvalidInputError('If-Match: the ETag of the answer that you have seen, in its quotes, or "*".')
    etag = tell_etag(type(thing), thing.pk)
    if etag in known:
        return
    news = describe_news(type(thing), thing.pk, known[0].strip('"')) if len(known) == 1 else ""
    detail = "Load it again and repeat your change."
    raise PreconditionFailedError(f"{detail} What is new: {news}." if news else detail, headers={"ETag": etag})
