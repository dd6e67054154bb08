"""Secrets: encrypted in the database, absent from the log."""

import pytest
from cryptography.fernet import Fernet

from microservices.kernel.crypto import DecryptionError, FieldCipher
from microservices.kernel.logs import redact_secrets

OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


def test_a_new_key_in_front_reads_what_the_old_one_wrote() -> None:
    stored = FieldCipher.from_setting(OLD).encrypt("a site's tökén")
    rotated = FieldCipher.from_setting(f" {NEW}, {OLD} ,")
    assert "site" not in stored
    assert rotated.decrypt(stored) == "a site's tökén"
    assert FieldCipher([NEW]).decrypt(rotated.encrypt("again")) == "again"


def test_without_its_key_a_secret_is_unreadable_and_says_so() -> None:
    with pytest.raises(DecryptionError):
        FieldCipher([NEW]).decrypt(FieldCipher([OLD]).encrypt("secret"))


@pytest.mark.parametrize("setting", ["", " , ", "not a key"])
def test_keys_that_are_none_are_refused_at_the_start(setting: str) -> None:
    with pytest.raises(ValueError, match="key"):
        FieldCipher.from_setting(setting)


@pytest.mark.parametrize("name", ["password", "client_secret", "Authorization", "credential", "api_key", "X-API-Key"])
def test_what_is_named_like_a_secret_is_not_logged(name: str) -> None:
    assert redact_secrets(None, "info", {name: "hunter2", "status": 200}) == {name: "[redacted]", "status": 200}
