"""What a WES server's answer means, whichever layer gave it: the server, its framework or a proxy.

WES's errors have `msg`; frameworks write `message`, `detail` or `title`, and some servers send a page of HTML.
"""

from collections.abc import Mapping
from typing import Any

from microservices.backends.answers import (
    MAX_WORDS,
    Answer,
    Model,
    explain_any_answer,
    parse_object,
    refuse_any_credential,
    require_model,
)
from microservices.backends.base import CredentialRefusedError, SiteError
from microservices.backends.ga4gh_wes.words import clean_words
from microservices.backends.responses import parse_retry_after


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    document = parse_object(body)
    return Answer(status, document, _find_words(document or {}), parse_retry_after(headers.get("Retry-After")))


def _find_words(document: dict[str, Any]) -> str:
    for key in ("msg", "message", "detail", "title", "error_description", "error"):
        words = document.get(key)
        if isinstance(words, str) and words.strip():
            return clean_words(words)[:MAX_WORDS]
    return ""


def read_model(answer: Answer, model: type[Model]) -> Model:
    """A successful answer in its shape; raises the `SiteError` that any other answer means."""
    return require_model(answer, model, explain_answer)


def explain_answer(answer: Answer) -> SiteError:
    """The error that an answer means, wherever the call has no better knowledge of it."""
    return refuse_credential(answer.words) if answer.status == 401 else explain_any_answer(answer)


def refuse_credential(words: str) -> CredentialRefusedError:
    return refuse_any_credential(
        "credential",
        words,
        fix="Store a new token for this site, or the right user name and password, in your site credentials.",
    )
