"""Rules of single fields, for the admin and the API alike; each raises Django's `ValidationError`."""

import math
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography.x509 import load_pem_x509_certificates
from django.core.exceptions import ValidationError
from pydantic import BaseModel
from pydantic import ValidationError as ShapeError

from microservices.contracts.curation import ApiConfig

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_CREDENTIAL = re.compile(r"[\x20-\x7e]+")
_MOST_NESTED = 20


def validate_base_url(url: str) -> None:
    """An absolute http(s) address without a query; adapters append their paths to it."""
    try:
        parts = urlsplit(url)
        # A name that IDNA refuses (an empty or overlong label) could never be looked up.
        has_host = bool((parts.hostname or "").encode("idna"))
        is_absolute = parts.scheme in ("http", "https") and has_host and parts.port != 0
    except ValueError:
        is_absolute = False
    if not is_absolute or re.search(r"[\s\\]", url):
        raise ValidationError("Give an absolute address such as https://imputation.example.org.")
    if parts.username is not None or parts.password is not None:
        raise ValidationError("An address is seen by everyone: put user name and password into the credential.")
    if parts.query or parts.fragment:
        raise ValidationError("Give the address without a query (?) and a fragment (#).")


def validate_pem(text: str) -> None:
    try:
        load_pem_x509_certificates(text.encode())
    except ValueError as error:
        raise ValidationError("Not a certificate in PEM form (-----BEGIN CERTIFICATE-----).") from error


def validate_credential(text: str) -> None:
    if not _CREDENTIAL.fullmatch(text):
        raise ValidationError("A credential is one line of ASCII characters: it travels in a header.")


def validate_recipients(before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    """A stored credential was given to certain hosts, by somebody who knows it: whoever moves its site does not.

    Each is a site's `base_url` and `api_config`. Raises when the credential would be sent to a host that is new.
    """
    if new := sorted(_list_recipients(after) - _list_recipients(before)):
        raise ValidationError(f"The stored one was not given for {new[0]}: give it again, or take it away.")


def _list_recipients(site: Mapping[str, Any]) -> set[str]:
    config = site.get("api_config")
    token_url = config.get("token_url") if isinstance(config, dict) else None
    parts = [urlsplit(str(url)) for url in (site.get("base_url"), token_url) if url]
    return {f"{part.scheme}://{part.netloc}".lower() for part in parts}


def validate_words(words: list[str]) -> None:
    """A list of distinct, non-empty words."""
    if len({word.casefold() for word in words}) != len(words):
        raise ValidationError("An entry is in the list twice.")
    if any(not word.strip() for word in words):
        raise ValidationError("An entry of the list is empty.")


def validate_storable(value: Any, depth: int = 0) -> None:
    """What JSON can carry and PostgreSQL's jsonb cannot: NUL, lone surrogates, infinite numbers, endless nesting."""
    if depth > _MOST_NESTED:
        raise ValidationError(f"Nested more than {_MOST_NESTED} levels deep.")
    if isinstance(value, str) and _UNSTORABLE.search(value):
        raise ValidationError("Contains a character that cannot be stored (NUL or half of a pair).")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValidationError("Contains a number that is not finite.")
    parts = [*value.keys(), *value.values()] if isinstance(value, dict) else value if isinstance(value, list) else []
    for part in parts:
        validate_storable(part, depth + 1)


def validate_shape(model: type[BaseModel], value: Any) -> None:
    """Check JSON against a pydantic model; every finding names its place."""
    validate_storable(value)
    try:
        model.model_validate(value)
    except ShapeError as error:
        findings = [(".".join(map(str, finding["loc"])), finding["msg"]) for finding in error.errors()]
        raise ValidationError([f"{place}: {message}" if place else message for place, message in findings]) from error


def validate_api_config(value: Any) -> None:
    validate_shape(ApiConfig, value)
