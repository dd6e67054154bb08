"""A column that holds a secret: encrypted when it is set, opened only where it is needed.

Reading a row neither decrypts nor needs a key: the attribute is a sealed text, whose content no form, serializer,
log line or dump can show.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import models

from microservices.kernel.crypto import FieldCipher

if TYPE_CHECKING:
    TextField = models.TextField["SealedText | None", "SealedText | None"]
else:
    TextField = models.TextField


def get_cipher() -> FieldCipher:
    """The cipher of Django's own keys (`DJANGO_ENCRYPTION_KEYS`)."""
    return FieldCipher.from_setting(settings.ENVIRONMENT.encryption_keys.get_secret_value())


@dataclass(frozen=True)
class SealedText:
    stored: str = field(repr=False)

    @classmethod
    def seal(cls, text: str) -> "SealedText":
        return cls(get_cipher().encrypt(text))

    def reveal(self) -> str:
        """Raises `DecryptionError` when none of the present keys opens it."""
        return get_cipher().decrypt(self.stored)

    def __str__(self) -> str:
        return "[secret]"


class SealedTextField(TextField):
    """Takes and gives `SealedText` only: a plain string would be a secret about to be stored in the clear."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "null": True, "editable": False, "default": None})

    def from_db_value(self, value: str | None, *_args: Any) -> SealedText | None:
        return None if value is None else SealedText(value)

    def to_python(self, value: Any) -> SealedText | None:
        if value is None or isinstance(value, SealedText):
            return value
        raise TypeError(f"{self.name} takes a SealedText; make one with SealedText.seal(text).")

    def get_prep_value(self, value: Any) -> str | None:
        sealed = self.to_python(value)
        return None if sealed is None else sealed.stored

    def value_to_string(self, _obj: models.Model) -> str:
        raise TypeError(f"{self.name} is a secret and is not written into dumps; exclude its model.")
