"""`Idempotency-Key`: the same creation again gives the first answer again. Scoped to caller and route, kept for 24 h.

The answer is stored in the transaction that creates, so neither exists without the other.
"""

import json
from collections.abc import Callable
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from django_app.imputation.api.authentication import principal_of
from django_app.imputation.models import RememberedAnswer
from microservices.kernel.errors import ConflictError, InvalidInputError

_KEPT = timedelta(hours=24)


def create_once(request: Request, create: Callable[[], Response]) -> Response:
    """Carry out `create` in a transaction, or give the answer that the same request had before.

    Raises `ConflictError` (`idempotency_conflict`: another body; `request_in_progress`: the first is still at work).
    """
    key = request.headers.get("Idempotency-Key")
    with transaction.atomic():
        if key is None:
            return create()
        if not (key.isprintable() and 1 <= len(key) <= 200):
            raise InvalidInputError("Idempotency-Key: 1 to 200 printable characters.")
        return _create_with_key(request, key, create)


def _create_with_key(request: Request, key: str, create: Callable[[], Response]) -> Response:
    scope = f"{principal_of(request).subject} POST {request.path}"
    text = json.dumps(request.data, sort_keys=True)
    # Keyed, because the body may hold a credential that could be guessed from a plain hash.
    fingerprint = salted_hmac("idempotency", text, algorithm="sha256").hexdigest()
    _take_turn(f"{scope} {key}")
    RememberedAnswer.objects.filter(created_at__lt=timezone.now() - _KEPT).delete()
    known = RememberedAnswer.objects.filter(scope=scope, key=key).first()
    if known is None:
        answer = create()
        body = json.loads(json.dumps(answer.data, cls=JSONEncoder))
        RememberedAnswer.objects.create(
            scope=scope, key=key, fingerprint=fingerprint, status=answer.status_code, body=body
        )
        return answer
    if not constant_time_compare(known.fingerprint, fingerprint):
        raise ConflictError(
            "This Idempotency-Key was used for another request. Use a new one.", code="idempotency_conflict"
        )
    return Response(known.body, status=known.status)


def _take_turn(name: str) -> None:
    """One request per key at a time, until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [name])
        if not cursor.fetchone()[0]:
            raise ConflictError("The same request is still at work. Try again shortly.", code="request_in_progress")
