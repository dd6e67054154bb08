"""Recovery codes: for whoever has lost the device with the app."""

import base64
import hashlib
import re
import secrets
from uuid import UUID

COUNT = 10
_BYTES = 10
_CODE = re.compile(r"[a-z2-7]{16}")


def make_codes() -> list[str]:
    """80 random bits each, in base32 and groups of four, so that they can be copied from paper."""
    return [_write(secrets.token_bytes(_BYTES)) for _ in range(COUNT)]


def _write(content: bytes) -> str:
    text = base64.b32encode(content).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def is_recovery_code(text: str) -> bool:
    """`text` without spaces and dashes, in lower case."""
    return bool(_CODE.fullmatch(text))


def hash_code(user_id: UUID, text: str) -> str:
    """A fast hash is enough for so many random bits; the person's id in it keeps two people's codes apart."""
    plain = text.replace("-", "")
    return hashlib.sha256(f"{user_id}:{plain}".encode()).hexdigest()
