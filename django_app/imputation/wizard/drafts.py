"""A set-up that is not finished: kept in the curator's session, on the server, until it is saved or given up.

What was typed is kept as it was typed, so that going back and forth or loading a page again loses nothing. The
credential is the exception: it is sealed as it comes in, and no page ever gets it back.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID, uuid4

from django.http import HttpRequest, QueryDict
from django.utils import timezone
from pydantic import BaseModel, Field, ValidationError

from django_app.imputation.encryption import SealedText
from microservices.backends.base import CredentialCheck, Health
from microservices.backends.description import SiteDescription
from microservices.contracts.curation import ApiType

StepName = Literal["address", "site", "access", "panels", "review"]

_SESSION_KEY = "site_drafts"
_MOST_DRAFTS = 5
_SECRET_FIELDS = {"new_credential", "csrfmiddlewaretoken"}


class Finding(BaseModel):
    """What answered. `api_type` None: nothing that the platform speaks to; `tried` tells what was asked and said."""

    api_type: ApiType | None
    base_url: str
    health: Health
    response_time_ms: float | None
    message: str
    advice: str
    code: str
    tls: str
    asked_at: datetime
    description: SiteDescription | None = None
    tried: list[tuple[str, str]] = []


class Draft(BaseModel):
    """`id` becomes the site's: saving the same draft twice makes one site. `typed`: the forms' fields by step."""

    id: UUID = Field(default_factory=uuid4)
    typed: dict[StepName, dict[str, list[str]]] = {}
    finding: Finding | None = None
    sealed_credential: str | None = Field(default=None, repr=False)
    credential_check: CredentialCheck | None = None

    def type_in(self, step: StepName, fields: QueryDict) -> None:
        self.typed[step] = {name: fields.getlist(name) for name in fields if name not in _SECRET_FIELDS}

    def read_typed(self, step: StepName) -> QueryDict | None:
        """The fields as a form takes them; None where the step was not sent yet."""
        if step not in self.typed:
            return None
        fields = QueryDict(mutable=True)
        for name, values in self.typed[step].items():
            fields.setlist(name, values)
        return fields

    def seal_credential(self, text: str) -> None:
        self.sealed_credential = SealedText.seal(text).stored
        self.credential_check = None

    def drop_credential(self) -> None:
        self.sealed_credential = self.credential_check = None

    def reveal_credential(self) -> str | None:
        """For a question to the site, or the site's row. Raises `DecryptionError`."""
        return SealedText(self.sealed_credential).reveal() if self.sealed_credential else None


def find_draft(request: HttpRequest, draft_id: UUID) -> Draft | None:
    """None also for one that an older release has kept in another form."""
    stored = request.session.get(_SESSION_KEY, {}).get(str(draft_id))
    try:
        return None if stored is None else Draft.model_validate(stored["draft"])
    except (ValidationError, KeyError, TypeError):
        return None


def keep_draft(request: HttpRequest, draft: Draft) -> None:
    """The newest few are kept: a set-up that was left lying must not fill the session."""
    drafts = dict(request.session.get(_SESSION_KEY, {}))
    drafts[str(draft.id)] = {"kept_at": timezone.now().isoformat(), "draft": draft.model_dump(mode="json")}
    newest = sorted(drafts, key=lambda key: str(drafts[key].get("kept_at")), reverse=True)[:_MOST_DRAFTS]
    request.session[_SESSION_KEY] = {key: drafts[key] for key in newest}


def drop_draft(request: HttpRequest, draft_id: UUID) -> None:
    drafts = dict(request.session.get(_SESSION_KEY, {}))
    if drafts.pop(str(draft_id), None) is not None:
        request.session[_SESSION_KEY] = drafts
