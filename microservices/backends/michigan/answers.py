"""What a Cloudgene server's answer means, whichever layer gave it: Cloudgene, its framework or the proxy before it.

Cloudgene 2 labels JSON as text, so labels do not count. Cloudgene's own errors have `success`, the framework's not.
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
from microservices.backends.markup import strip_markup
from microservices.backends.responses import parse_retry_after


def read_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    document = parse_object(body)
    return Answer(
        status=status,
        document=document,
        words=_find_words(document) if document is not None else "",
        retry_after_s=parse_retry_after(headers.get("Retry-After")),
        location=headers.get("Location"),
    )


def is_own(answer: Answer) -> bool:
    """Whether Cloudgene itself said it (not its framework, not a proxy)."""
    return answer.document is not None and "success" in answer.document


def read_model(answer: Answer, model: type[Model]) -> Model:
    """A successful answer in its shape; raises the `SiteError` that any other answer means."""
    return require_model(answer, model, explain_answer)


def explain_answer(answer: Answer) -> SiteError:
    """The error that an answer means, wherever the call has no better knowledge of it."""
    is_frameworks = answer.document is not None and not is_own(answer)
    if answer.status == 401 or (answer.status == 403 and is_frameworks):
        return refuse_credential(answer.words)
    return explain_any_answer(answer)


def refuse_credential(words: str) -> CredentialRefusedError:
    return refuse_any_credential(
        "token",
        words,
        fix="Make a new API token on the site's profile page and store it; a new token ends the old one at once.",
    )


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
