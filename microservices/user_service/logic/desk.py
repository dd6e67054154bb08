"""What it takes to log people in, and to change how they do."""

from dataclasses import dataclass

from microservices.kernel.crypto import FieldCipher
from microservices.kernel.db import Database
from microservices.user_service.logic.revocations import RevocationHerald
from microservices.user_service.logic.signing_keys import KeyRing
from microservices.user_service.logic.throttle import LoginThrottle


@dataclass(frozen=True)
class LoginDesk:
    database: Database
    cipher: FieldCipher
    keyring: KeyRing
    throttle: LoginThrottle
    herald: RevocationHerald
