"""What a WES server's answer means, whichever layer gave it: the server, its framework or a proxy.

WES's errors have `msg`; frameworks write `message`, `detail` or `title`, and some servers send a page of HTML.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from microservices.backends.base import CredentialRefusedError, SiteError, SiteUnavailableError
from microservices.backends.ga4gh_wes.words import clean_words
from microservices.backends.responses import parse_retry_after

MAX_WORDS = 500
BUSY_STATUSES = frozenset({408, 425, 429})
AGAIN = "Nothing to do: the platform tries again."

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """`document` is the JSON object, or None where the body is something else (or nothing)."""

    status: int
    document: dict[str, Any] | None
    words: str
    retry_after_s: float | None


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    document = document if isinstance(document, dict) else None
    return Answer(status, document, _find_words(document or {}), parse_retry_after(headers.get("Retry-After")))


def _find_words(document: dict[str, Any]) -> str:
    for key in ("msg", "message", "detail", "title", "error_description", "error"):
        words = document.get(key)
        if isinstance(words, str) and words.strip():
            return clean_words(words)[:MAX_WORDS]
    return ""


def read_model(answer: Answer, model: type[Model]) -> Model:
    """A successful answer in its shape; raises the `SiteError` that any other answer means."""
    if answer.status != 200 or answer.document is None:
        raise explain_answer(answer)
    try:
        return model.model_validate(answer.document)
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})[:5])
        raise SiteUnavailableError(
            f"The site's answer is not what WES promises (at {places}).", code="answer_unreadable"
        ) from None


def explain_answer(answer: Answer) -> SiteError:
    """The error that an answer means, wherever the call has no better knowledge of it."""
    if 300 <= answer.status < 400:
        return SiteError(
            "The site redirects to another address; a token must not follow there.",
            code="redirected",
            permanent=True,
            whose="platform",
            fix="A curator has to store the site's final address as base_url.",
        )
    if answer.status == 401:
        return refuse_credential(answer.words)
    if answer.status >= 500 or answer.status in BUSY_STATUSES or answer.document is None:
        return explain_unavailable(answer)
    return SiteError(
        f"The site refused the call ({answer.status}): {answer.words or 'it gave no reason'}",
        code="access_denied" if answer.status == 403 else "refused",
        permanent=True,
    )


def explain_unavailable(answer: Answer) -> SiteUnavailableError:
    """Overload, a failing server, or a page instead of data."""
    if answer.document is None:
        code, words = "answer_not_json", f"The site answered {answer.status} with something else than data."
    else:
        code, words = "unavailable", f"The site answered {answer.status}: {answer.words or 'it gave no reason'}"
    return SiteUnavailableError(words, code=code, retry_after_s=answer.retry_after_s, fix=AGAIN)


def refuse_credential(words: str) -> CredentialRefusedError:
    said = f" It said: {words}" if words else ""
    return CredentialRefusedError(
        f"The site does not accept the credential.{said}",
        code="credential_refused",
        permanent=True,
        whose="input",
        fix="Store a new token for this site, or the right user name and password, in your site credentials.",
    )
