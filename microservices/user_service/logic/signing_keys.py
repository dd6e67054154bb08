"""The keys that sign access tokens: made here, stored encrypted, published for everyone to verify with."""

import secrets
import threading
import time
from base64 import urlsafe_b64encode
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from microservices.kernel.auth import ALGORITHM, TokenVerifier, sign_claims
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import Database, utc_now
from microservices.kernel.errors import DependencyUnavailableError
from microservices.kernel.logs import get_logger
from microservices.user_service.models import SigningKey
from microservices.user_service.queries import list_published_keys

_LOCK = 0x516E
_LOOK_AGAIN_S = 30

log = get_logger(__name__)


class KeyRing:
    """The platform's keys as they are in the database, looked up again every 30 s, so that a rotation is noticed.

    What was read last is used while the database is away.
    """

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher
        self._lock = threading.Lock()
        self._keys: list[SigningKey] = []
        self._read_again_at = 0.0

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with `claims`, signed with the newest key whose time has come."""
        now = utc_now()
        keys = self._read_keys()
        # The oldest, when clocks differ so much that none has come of age here.
        key = next((key for key in keys if key.signs_from <= now), keys[-1])
        return sign_claims(claims, private_key_pem=self._cipher.decrypt(key.private_key), headers={"kid": key.kid})

    def list_public(self) -> list[dict[str, Any]]:
        """The key set of RFC 7517, with keys that will sign and keys that have signed."""
        return [key.public_jwk for key in self._read_keys()]

    def _read_keys(self) -> list[SigningKey]:
        with self._lock:
            if time.monotonic() >= self._read_again_at:
                try:
                    with self._database.transaction() as session:
                        self._keys = ensure_signing_key(session, self._cipher)
                except SQLAlchemyError as error:
                    log.warning("signing_keys_not_read", error=str(error).split("\n")[0])
                    if not self._keys:
                        raise DependencyUnavailableError("The platform's keys cannot be read. Try again.") from error
                self._read_again_at = time.monotonic() + _LOOK_AGAIN_S
            return self._keys


def ensure_signing_key(session: Session, cipher: FieldCipher) -> list[SigningKey]:
    """The published keys; the first is made when there is none, by one process however many start at once."""
    now = utc_now()
    keys = list_published_keys(session, now)
    if not keys:
        session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        keys = list_published_keys(session, now) or [add_signing_key(session, cipher, signs_from=now)]
    return keys


def add_signing_key(session: Session, cipher: FieldCipher, *, signs_from: datetime) -> SigningKey:
    """A new key, published at once; to rotate, let it sign only when all verifiers have fetched it."""
    private = ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    numbers = private.public_key().public_numbers()
    kid = secrets.token_urlsafe(12)
    jwk = {"kty": "EC", "crv": "P-256", "alg": ALGORITHM, "use": "sig", "kid": kid}
    jwk |= {
        name: urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()
        for name, number in (("x", numbers.x), ("y", numbers.y))
    }
    key = SigningKey(kid=kid, private_key=cipher.encrypt(pem), public_jwk=jwk, signs_from=signs_from)
    session.add(key)
    session.flush()
    return key


class OwnTokenVerifier(TokenVerifier):
    """Verifies with the keys at hand: the authority that asked itself over HTTP would wait for itself."""

    def __init__(self, keyring: KeyRing) -> None:
        super().__init__("")
        self._keyring = keyring

    def load_keys(self) -> list[dict[str, Any]]:
        return self._keyring.list_public()
