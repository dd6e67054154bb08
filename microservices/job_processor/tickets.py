"""Tickets: browsers send no token with a download, so whoever has one may fetch a job's archive, for a few minutes.

Encrypted like the other secrets of this service, so that a ticket tells nothing and nobody makes one elsewhere.
"""

import time
from datetime import UTC, datetime
from uuid import UUID

from starlette.requests import HTTPConnection

from microservices.job_processor.errors import TicketExpiredError, TicketInvalidError
from microservices.kernel.auth import AccessRule, Principal
from microservices.kernel.crypto import DecryptionError, FieldCipher

LIFETIME_S = 600
_PURPOSE = "archive"  # no other text that these keys encrypt is a ticket


def make_ticket(cipher: FieldCipher, caller: Principal, job_id: UUID) -> tuple[str, datetime]:
    """The ticket, and when it ends: a download that has begun by then goes on to its end."""
    user_id, organization_id = caller.person
    expires = int(time.time()) + LIFETIME_S
    text = f"{_PURPOSE} {job_id} {user_id} {organization_id} {expires}"
    return cipher.encrypt(text), datetime.fromtimestamp(expires, UTC)


def read_ticket(cipher: FieldCipher, ticket: str, job_id: str) -> Principal:
    """Whose it is. Raises `TicketInvalidError`, or `TicketExpiredError` for one that was good once."""
    try:
        purpose, job, user_id, organization_id, expires = cipher.decrypt(ticket).split()
    except (DecryptionError, ValueError) as error:
        raise TicketInvalidError("The link is incomplete or was changed. Ask for a new one.") from error
    if purpose != _PURPOSE or job != job_id.lower():
        raise TicketInvalidError("The link is not of this job. Ask for a new one.")
    if int(expires) <= time.time():
        raise TicketExpiredError("The link is no longer good. Ask for a new one.")
    return Principal(user_id, "", float(expires), user_id=UUID(user_id), organization_id=UUID(organization_id))


class TicketOrPersonRule(AccessRule):
    """Whoever has a ticket for the job of this path, or a person with a token."""

    async def __call__(self, connection: HTTPConnection) -> Principal | None:
        ticket = connection.query_params.get("ticket")
        if ticket is None:
            return await super().__call__(connection)
        return read_ticket(connection.app.state.cipher, ticket, connection.path_params["job_id"])
