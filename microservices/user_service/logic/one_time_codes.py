"""The codes of authenticator apps (TOTP, RFC 6238): six digits, another each 30 s. The only module that uses pyotp."""

import hmac
import re
from datetime import datetime

import pyotp

ISSUER = "ImputeHub"
STEP_S = 30
_TOLERANCE = 1  # steps that a clock may be off, as section 5.2 of the RFC advises
_CODE = re.compile(r"[0-9]{6}")


def make_secret() -> str:
    """160 random bits in base32, the length that section 4 of RFC 4226 recommends."""
    return pyotp.random_base32(32)


def write_uri(secret: str, email: str) -> str:
    """What a QR code for an authenticator app says."""
    return pyotp.TOTP(secret, interval=STEP_S).provisioning_uri(name=email, issuer_name=ISSUER)


def find_step(secret: str, code: str, now: datetime) -> int | None:
    """The 30 s step since 1970 that `code` belongs to, when that is the present one or next to it."""
    if not _CODE.fullmatch(code):
        return None
    present = int(now.timestamp()) // STEP_S
    counter = pyotp.HOTP(secret)
    steps = range(present + _TOLERANCE, present - _TOLERANCE - 1, -1)
    return next((step for step in steps if hmac.compare_digest(counter.at(step), code)), None)
