"""Field encryption with keys that can be rotated.

The first key encrypts, every key decrypts; rotating means putting a new key in front and re-saving.
"""

from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from microservices.kernel.errors import ServiceError


class DecryptionError(ServiceError):
    title = "A stored secret cannot be decrypted with the present keys"
    code = "secret_unreadable"


class FieldCipher:
    """Encrypts short texts for storage in a column (`bytes`, URL-safe base64 inside)."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ValueError("At least one encryption key is needed")
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    @classmethod
    def from_setting(cls, keys: str) -> "FieldCipher":
        """`keys`: Fernet keys separated by commas, the encrypting one first."""
        return cls([key.strip() for key in keys.split(",") if key.strip()])

    def encrypt(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def decrypt(self, stored: str) -> str:
        try:
            return self._fernet.decrypt(stored.encode()).decode()
        except InvalidToken as error:
            raise DecryptionError from error
