"""What an HTTP answer of a site means, as far as it is the same for every kind of site.

Both status and body count: a proxy sends HTML, sometimes with 200, and labels are not to be relied on.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from microservices.backends.base import CredentialRefusedError, SiteError, SiteUnavailableError

MAX_WORDS = 500
BUSY_STATUSES = frozenset({408, 425, 429})

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Answer:
    """`document` is the JSON object, or None where the body is something else (or nothing); `words` are the site's."""

    status: int
    document: dict[str, Any] | None
    words: str
    retry_after_s: float | None
    location: str | None = None


def parse_object(body: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def require_model(answer: Answer, model: type[Model], explain: Callable[[Answer], SiteError]) -> Model:
    """A successful answer in its shape; raises what `explain` makes of any other, or `SiteUnavailableError`."""
    if answer.status != 200 or answer.document is None:
        raise explain(answer)
    try:
        return model.model_validate(answer.document)
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})[:5])
        raise SiteUnavailableError(
            f"The site's answer is not what its interface promises (at {places}).", code="answer_unreadable"
        ) from None


def explain_any_answer(answer: Answer) -> SiteError:
    """The error that an answer means where neither the call nor the interface has better knowledge of it."""
    if 300 <= answer.status < 400:
        return _explain_redirect()
    if answer.status >= 500 or answer.status in BUSY_STATUSES or answer.document is None:
        return _explain_unavailable(answer)
    return SiteError(
        f"The site refused the call ({answer.status}): {answer.words or 'it gave no reason'}",
        code="access_denied" if answer.status == 403 else "refused",
        permanent=True,
    )


def refuse_any_credential(what: str, words: str, fix: str) -> CredentialRefusedError:
    """`what` the site did not accept ("token"), and the site's own words about it."""
    said = f" It said: {words}" if words else ""
    return CredentialRefusedError(
        f"The site does not accept the {what}.{said}",
        code="credential_refused",
        permanent=True,
        whose="input",
        fix=fix,
    )


def _explain_unavailable(answer: Answer) -> SiteUnavailableError:
    """Maintenance, overload, a failing server or a proxy's page."""
    if answer.document is None:
        code, words = "answer_not_json", f"The site answered {answer.status} with something else than data."
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
