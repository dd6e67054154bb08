"""What a Cloudgene site says of itself, for curators; strangers are told little, and a resting site nothing."""

from dataclasses import replace

from microservices.backends.base import SiteError
from microservices.backends.description import Capabilities, OfferedPanel, SiteDescription, SiteLimits
from microservices.backends.markup import strip_markup
from microservices.backends.michigan.answers import refuse_credential
from microservices.backends.michigan.catalogue import (
    ask_server,
    choose_app,
    explain_maintenance,
    list_panels,
    read_app,
)
from microservices.backends.michigan.client import CloudgeneClient
from microservices.backends.michigan.wire import ServerAnswer

COUNTERS_PATH = "/api/v2/server/counters"
MAX_NAME = 200
_TO_ACCOUNTS_ONLY = "The site lists its panels to accounts only: it wants a token."
_NO_LIST = "The site's application {} has no list of panels."
# Cloudgene's interface tells no limits. These are the defaults of Cloudgene 3 and imputationserver2 (see there
# `maxRunningJobsPerUser`, `maxDownloads`, `minSamples`, `maxSamples`); what differs is on the site's own pages.
_DEFAULTS = SiteLimits(min_samples=20, max_samples=50_000, max_file_size_mb=5000, jobs_at_once=2, downloads_per_file=10)


async def describe_site(client: CloudgeneClient) -> SiteDescription:
    """The site as this account sees it; panels that the account's group may not use are not listed by the site.

    Raises `CredentialRefusedError` for a token that the site takes for a stranger's.
    """
    server = await ask_server(client)
    generation = recognise_generation(server)
    known = SiteDescription(
        name=strip_markup(server.name)[:MAX_NAME],
        software=f"Cloudgene {generation}".strip(),
        version=server.apps[0].version if server.apps else None,
        apps=tuple(summary.id for summary in server.apps),
        limits=_DEFAULTS if generation != "2" else replace(_DEFAULTS, max_file_size_mb=None),
        capabilities=list_capabilities(generation),
    )
    if server.maintenace:
        words = explain_maintenance(server)
        return replace(known, maintenance=words, panels_note=words)
    if server.loggedIn is False and client.connection.credential is not None:
        raise refuse_credential("")
    return await _describe_catalogue(client, server, replace(known, counts=await _read_counters(client)))


async def _describe_catalogue(client: CloudgeneClient, server: ServerAnswer, known: SiteDescription) -> SiteDescription:
    """A stranger who is told nothing is no error: the site may well be described before there is a token."""
    is_stranger = client.connection.credential is None
    if is_stranger and not server.apps:
        return replace(known, panels_note=_TO_ACCOUNTS_ONLY)
    name = choose_app(client, server)
    try:
        app = await read_app(client, name)
    except SiteError as error:
        if is_stranger and error.code in ("credential_refused", "application_unknown"):
            return replace(known, panels_note=_TO_ACCOUNTS_ONLY)
        raise
    panels: list[OfferedPanel] | None = list_panels(app.params)
    return replace(
        known,
        version=app.version or name.partition("@")[2] or None,
        panels=None if panels is None else tuple(panels),
        panels_note=_NO_LIST.format(name) if panels is None else "",
    )


def recognise_generation(server: ServerAnswer) -> str:
    """`3` tells its applications' versions apart from their ids, `2` does not; empty for strangers, who see none."""
    if not server.apps:
        return ""
    return "3" if any(app.version for app in server.apps) else "2"


def list_capabilities(generation: str) -> Capabilities:
    """Cloudgene 2 serves ranges; of 3 only sites with object storage do, and they do not say which they are.

    With a token, which is all that is held, only 3 restarts a job, and neither deletes one.
    """
    return Capabilities(
        lists_panels=True,
        finds_by_mark=True,
        cancels=True,
        hands_out_results=True,
        resumes_downloads=True if generation == "2" else None,
        takes_files=True,
        restarts={"3": True, "2": False}.get(generation),
        deletes=False,
    )


async def _read_counters(client: CloudgeneClient) -> tuple[tuple[str, int], ...]:
    """Anonymous, and no loss where a site does not tell."""
    try:
        answer = await client.call(COUNTERS_PATH, anonymous=True)
    except SiteError:
        return ()
    found = answer.document if answer.status == 200 and answer.document else {}
    places = (("jobs waiting", "queue", "size"), ("jobs completed", "complete", "runs"))
    counts = [(words, _read_count(found.get(table), key)) for words, table, key in places]
    return tuple((words, count) for words, count in counts if count is not None)


def _read_count(table: object, key: str) -> int | None:
    count = table.get(key) if isinstance(table, dict) else None
    return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
