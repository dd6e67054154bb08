"""What a site is and offers: its application, its panels with their populations."""

import re
from typing import Literal
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError

from microservices.backends.answers import Answer
from microservices.backends.base import SiteError, SiteUnavailableError
from microservices.backends.description import OfferedPanel
from microservices.backends.markup import strip_markup
from microservices.backends.michigan.answers import explain_answer, read_model, refuse_credential
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.credential import explain_refusal
from microservices.backends.michigan.wire import AppAnswer, Choice, Parameter, ServerAnswer

SERVER_PATH = "/api/v2/server"
_CHOICES = TypeAdapter(list[Choice])


async def read_server(client: CloudgeneClient) -> ServerAnswer:
    """The server as the token's owner sees it; a bad token makes the caller a stranger, which is refused here."""
    server = read_running_server(await client.call(SERVER_PATH))
    if server.loggedIn is False and client.connection.credential is not None:
        raise refuse_credential("")
    return server


def choose_app(client: CloudgeneClient, server: ServerAnswer) -> str:
    """The curator's application, or the first that the site lists for the account."""
    if client.connection.api_config.app:
        return client.connection.api_config.app
    if not server.apps:
        raise SiteError(
            f"{server.name} offers no application to this account.",
            code="no_application",
            permanent=True,
            whose="platform",
            fix="Store a token of an account that may run jobs, or name the application in api_config.app.",
        )
    return server.apps[0].id


async def ask_server(client: CloudgeneClient) -> ServerAnswer:
    """The server's own answer, whether it rests or not."""
    return _parse_server(await client.call(SERVER_PATH))


def explain_maintenance(server: ServerAnswer) -> str:
    return strip_markup(server.maintenaceMessage or "") or "The site is in maintenance."


def read_running_server(answer: Answer) -> ServerAnswer:
    """Raises with code `maintenance` (the site's words) where the site says that it rests."""
    server = _parse_server(answer)
    if server.maintenace:
        words = explain_maintenance(server)
        raise SiteUnavailableError(words, code="maintenance", retry_after_s=answer.retry_after_s)
    return server


def _parse_server(answer: Answer) -> ServerAnswer:
    if answer.status == 200 and answer.document is not None and not isinstance(answer.document.get("name"), str):
        raise SiteUnavailableError("What answers there is not a Cloudgene server.", code="not_cloudgene")
    return read_model(answer, ServerAnswer)


async def read_app(client: CloudgeneClient, app: str) -> AppAnswer:
    answer = await client.call(f"{SERVER_PATH}/apps/{quote(app, safe='@')}")
    if answer.status == 404 and answer.document is not None:
        raise await explain_missing_app(client, answer, app)
    if answer.status == 403:
        raise await explain_refusal(client, answer)
    return read_model(answer, AppAnswer)


async def explain_missing_app(client: CloudgeneClient, answer: Answer, app: str) -> SiteError:
    """A missing application, unless the token is at fault (which Cloudgene 2 reports the same way)."""
    error = await explain_refusal(client, answer)
    if error.code != explain_answer(answer).code:
        return error
    return SiteError(
        f"The site has no application '{app}' for this account: {answer.words}",
        code="application_unknown",
        permanent=True,
        whose="platform",
        fix="A curator has to correct api_config.app, or the account lacks the permission.",
    )


def list_panels(parameters: list[Parameter]) -> list[OfferedPanel] | None:
    """Panels are the values of the `app_list`; each one's populations stand in the list bound to it.

    None: the application has no such list, which says nothing about the site's panels.
    """
    panels = next((p for p in parameters if p.type == "app_list"), None)
    if panels is None:
        return None
    bound = [p for p in parameters if p.type == "binded_list" and p.bind == panels.id]
    bound.sort(key=lambda p: p.id != "population")
    populations = {c.key: tuple(v.key for v in c.values or ()) for c in _read_choices(bound[0])} if bound else {}
    return [_offer_panel(choice, populations.get(choice.key, ())) for choice in _read_choices(panels)]


def _read_choices(parameter: Parameter) -> list[Choice]:
    try:
        return _CHOICES.validate_python(parameter.values or [])
    except ValidationError:
        raise SiteUnavailableError(
            f"The site's list of '{parameter.id}' is not what its interface promises.", code="answer_unreadable"
        ) from None


def _offer_panel(choice: Choice, populations: tuple[str, ...]) -> OfferedPanel:
    name = strip_markup(choice.value or choice.label or choice.key)
    return OfferedPanel(panel_id=choice.key, name=name, populations=populations, build=read_build(name))


def read_build(name: str) -> Literal["hg19", "hg38"] | None:
    """The build, if the panel's display name says exactly one: the interface tells it nowhere else."""
    old, new = re.search(r"GRCh37|hg19", name, re.IGNORECASE), re.search(r"GRCh38|hg38", name, re.IGNORECASE)
    if bool(old) == bool(new):
        return None
    return "hg19" if old else "hg38"
