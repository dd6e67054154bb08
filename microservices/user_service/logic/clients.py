"""Our own services' log-ins (RFC 6749 section 4.4), and what each may do at the others."""

import hmac
import secrets
from collections.abc import Mapping

from pydantic import SecretStr

from microservices.kernel.logs import get_logger
from microservices.user_service.errors import InvalidClientError
from microservices.user_service.logic import tokens
from microservices.user_service.logic.signing_keys import KeyRing
from microservices.user_service.schemas import TokenAnswer

CLIENT_SCOPES: Mapping[str, str] = {
    "api_gateway": "",
    "django": "events:write monitoring:read catalogue:read catalogue:probe catalogue:compare jobs:staff",
    "file_manager": "events:write jobs:read",
    "job_processor": "files:read files:write credentials:read events:write catalogue:read",
    "monitoring": "monitoring:read events:write catalogue:read",
    "notification": "people:read",
    "service_registry": "events:write",
}

_OUR_OWN = "user_service"

log = get_logger(__name__)


def log_in_client(
    keyring: KeyRing, client_secrets: Mapping[str, SecretStr], client_id: str, client_secret: str
) -> TokenAnswer:
    """Raises `InvalidClientError`; an unknown client takes as long as a wrong secret."""
    known = client_secrets.get(client_id) if client_id in CLIENT_SCOPES else None
    expected = known.get_secret_value() if known else ""
    compared_with = expected or secrets.token_urlsafe(32)
    if not hmac.compare_digest(compared_with.encode(), client_secret.encode()):
        log.warning("client_refused", client_id=client_id if client_id in CLIENT_SCOPES else "unknown")
        raise InvalidClientError
    scope = CLIENT_SCOPES[client_id]
    return TokenAnswer(
        access_token=tokens.sign_for_service(keyring, client_id, scope), expires_in=tokens.SERVICE_LIFE_S, scope=scope
    )


def sign_for_ourselves(keyring: KeyRing) -> str:
    """A token with which our events are accepted; the authority needs no secret for itself."""
    return tokens.sign_for_service(keyring, _OUR_OWN, "events:write")
