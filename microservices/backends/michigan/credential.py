"""Is this person's token good, and until when?

`tokens/verify` is the only question that both generations answer plainly: elsewhere a bad token may look like a
stranger (200), somebody else's job (403) or a missing application (404).
"""

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import Any

from microservices.backends.answers import Answer
from microservices.backends.base import CredentialCheck, SiteError
from microservices.backends.markup import strip_markup
from microservices.backends.michigan.answers import explain_answer, refuse_credential
from microservices.backends.michigan.client import CloudgeneClient

# A time in seconds reaches this in the year 5138, one in milliseconds passed it in 1973.
_MILLISECONDS_FROM = 100_000_000_000


async def check_credential(client: CloudgeneClient) -> CredentialCheck:
    """Only `valid` decides; the message of a valid token may hold an unfilled `%s`."""
    token = client.connection.credential
    if not token:
        return CredentialCheck(False, "No token is stored for this site.")
    client.authorise()
    answer = await client.call("/api/v2/tokens/verify", method="POST", anonymous=True, form={"token": token})
    document = answer.document
    if answer.status != 200 or document is None or "valid" not in document:
        raise explain_answer(answer)
    account = _read_text(document, "username")
    words = _read_text(document, "message") or _read_text(document, "error") or ""
    return CredentialCheck(
        valid=document["valid"] is True,
        message=strip_markup(words).replace("%s", account or "this account"),
        account=account,
        expires_at=_read_expiry(document, token),
    )


async def explain_refusal(client: CloudgeneClient, answer: Answer) -> SiteError:
    """The error that a refusal means, once the token was looked at where the answer alone cannot tell.

    Cloudgene 2 answers 403 or 404 to a bad token, because it then takes the caller for a stranger.
    """
    error = explain_answer(answer)
    if answer.status not in (403, 404) or client.connection.credential is None:
        return error
    try:
        check = await check_credential(client)
    except SiteError:
        return error
    return error if check.valid else refuse_credential(check.message)


def _read_text(document: dict[str, Any], key: str) -> str | None:
    value = document.get(key)
    return value if isinstance(value, str) and value else None


def _read_expiry(document: dict[str, Any], token: str) -> datetime | None:
    """`expire` of the answer (ISO text, or milliseconds), else what the token says of itself."""
    payload = _read_payload(token)
    for value in (document.get("expire"), payload.get("exp"), payload.get("expire")):
        moment = _read_moment(value)
        if moment is not None:
            return moment
    return None


def _read_payload(token: str) -> dict[str, Any]:
    """A JWT's claims, readable without its key; nothing for any other token."""
    parts = token.split(".")
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return payload if isinstance(payload, dict) else {}


def _read_moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, str) and not value.isdecimal():
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, (int, float, str)) and not isinstance(value, bool) and float(value) > 0:
            seconds = float(value)
            return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None
