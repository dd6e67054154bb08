"""What a Cloudgene server's answer means, whichever layer gave it: Cloudgene, its framework or the proxy before it.

Both status and body count: a proxy sends HTML, sometimes with 200; Cloudgene 2 labels JSON as text, so labels do not
count. Cloudgene's own errors have `success`, the framework's have not.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from microservices.backends.base import CredentialRefusedError, SiteError, SiteUnavailableError
from microservices.backends.markup import strip_markup
from microservices.backends.responses import parse_retry_after

MAX_WORDS = 500
BUSY_STATUSES = frozenset({408, 425, 429})

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """`document` is the JSON object, or None where the body is something else."""

    status: int
    document: dict[str, Any] | None
    words: str
    retry_after_s: float | None
    location: str | None = None

    @property
    def is_own(self) -> bool:
        """Whether Cloudgene itself said it (not its framework, not a proxy)."""
        return self.document is not None and "success" in self.document


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    document = _parse_object(body)
    return Answer(
        status=status,
        document=document,
        words=_find_words(document) if document is not None else "",
        retry_after_s=parse_retry_after(headers.get("Retry-After")),
        location=headers.get("Location"),
    )


def read_model(answer: Answer, model: type[Model]) -> Model:
    """A successful answer in its shape; raises the `SiteError` that any other answer means."""
    if answer.status != 200 or answer.document is None:
        raise explain_answer(answer)
    try:
        return model.model_validate(answer.document)
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})[:5])
        raise SiteUnavailableError(
            f"The site's answer is not what its interface promises (at {places}).", code="answer_unreadable"
        ) from None


def explain_answer(answer: Answer) -> SiteError:
    """The error that an answer means, wherever the call has no better knowledge of it."""
    if 300 <= answer.status < 400:
        return _explain_redirect()
    if answer.status == 401 or (answer.status == 403 and answer.document is not None and not answer.is_own):
        return refuse_credential(answer.words)
    if answer.status >= 500 or answer.status in BUSY_STATUSES or answer.document is None:
        return explain_unavailable(answer)
    return SiteError(
        f"The site refused the call ({answer.status}): {answer.words or 'it gave no reason'}",
        code="access_denied" if answer.status == 403 else "refused",
        permanent=True,
    )


def refuse_credential(words: str) -> CredentialRefusedError:
    said = f" It said: {words}" if words else ""
    return CredentialRefusedError(
        f"The site does not accept the token.{said}",
        code="credential_refused",
        permanent=True,
        whose="input",
        fix="Make a new API token on the site's profile page and store it; a new token ends the old one at once.",
    )


def explain_unavailable(answer: Answer) -> SiteUnavailableError:
    """Maintenance, overload, a failing server or a proxy's page."""
    if answer.document is None:
        code, words = "answer_not_json", f"The site answered {answer.status} with a page instead of data."
    elif "maintenance" in answer.words.lower():
        code, words = "maintenance", answer.words
    else:
        code, words = "unavailable", f"The site answered {answer.status}: {answer.words or 'it gave no reason'}"
    return SiteUnavailableError(
        words, code=code, retry_after_s=answer.retry_after_s, fix="Nothing to do: the platform tries again."
    )


def _explain_redirect() -> SiteError:
    return SiteError(
        "The site redirects to another address; a token must not follow there.",
        code="redirected",
        permanent=True,
        whose="platform",
        fix="A curator has to store the site's final address as base_url.",
    )


def _parse_object(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _find_words(document: dict[str, Any]) -> str:
    """The framework keeps the useful text one level below the general one."""
    embedded = document.get("_embedded")
    errors = embedded.get("errors") if isinstance(embedded, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    for holder in (first, document):
        words = holder.get("message") if isinstance(holder, dict) else None
        if isinstance(words, str) and words.strip():
            return strip_markup(words)[:MAX_WORDS]
    return ""
