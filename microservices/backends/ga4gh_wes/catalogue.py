"""What a WES server is: its health, and the workflow types that it runs; panels are the curators' recipes."""

import re
import time
from collections.abc import Iterable

from yarl import URL

from microservices.backends.answers import Answer
from microservices.backends.base import CredentialCheck, CredentialRefusedError, SiteError, SiteProbe
from microservices.backends.ga4gh_wes.answers import explain_answer, read_model
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.dialect import list_capabilities, recognise
from microservices.backends.ga4gh_wes.tokens import get_token, read_expiry
from microservices.backends.ga4gh_wes.wire import ServiceInfo
from microservices.backends.responses import MAX_PROBE_BYTES

INFO_PATH = "/service-info"


async def probe_server(client: WesClient) -> SiteProbe:
    """Cheap, and anonymous as long as the site allows it. Whatever the site does is a finding, never an error.

    A server that describes itself to accounts only is believed when it says so in WES's own form (`msg`).
    """
    started = time.perf_counter()
    try:
        answer = await client.call(INFO_PATH, anonymous=True, limit=MAX_PROBE_BYTES)
        elapsed_ms = (time.perf_counter() - started) * 1000
        if answer.status in (401, 403) and client.connection.credential is not None:
            answer = await client.call(INFO_PATH, limit=MAX_PROBE_BYTES)
    except SiteError as error:
        return SiteProbe("unhealthy", None, error.message, fix=error.fix, code=error.code)
    if answer.status in (401, 403) and isinstance((answer.document or {}).get("msg"), str):
        return SiteProbe("healthy", elapsed_ms, "The site answers, and describes itself after a log-in.")
    try:
        info = _read_info(answer)
    except SiteError as error:
        return SiteProbe("unhealthy", elapsed_ms, error.message, fix=error.fix, code=error.code)
    message = f"{name_site(client, info)} answers."
    newest, capabilities = find_newest(info.supported_wes_versions), list_capabilities(recognise(info))
    return SiteProbe("healthy", elapsed_ms, message, info.version, api_version=newest, capabilities=capabilities)


def find_newest(versions: Iterable[str]) -> str | None:
    """Of versions such as `1.1.0`; what is none does not count."""
    numbered = [version for version in versions if re.fullmatch(r"\d{1,3}(\.\d{1,3}){1,2}", version)]
    return max(numbered, key=lambda version: [int(part) for part in version.split(".")], default=None)


async def read_info(client: WesClient) -> ServiceInfo:
    """Raises `SiteUnavailableError` for whatever is not a WES server's description of itself."""
    return _read_info(await client.call(INFO_PATH))


def _read_info(answer: Answer) -> ServiceInfo:
    return read_model(answer, ServiceInfo)


def name_site(client: WesClient, info: ServiceInfo) -> str:
    """Servers of 1.0.0 have no name of their own."""
    return info.name or URL(client.connection.base_url).host or client.connection.base_url


async def check_credential(client: WesClient) -> CredentialCheck:
    """As far as WES can tell: whether the runs are shown with this credential. A site that asks nobody for one shows
    them to any, so a wrong one may look good there."""
    token_url, credential = client.connection.api_config.token_url, client.connection.credential
    try:
        answer = await client.call("/runs", query="?page_size=1")
    except CredentialRefusedError as error:
        return CredentialCheck(False, error.message)
    if answer.status in (401, 403):
        return CredentialCheck(False, answer.words or "The site asks for a log-in.")
    if answer.status != 200 or answer.document is None:
        raise explain_answer(answer)
    if not credential:
        return CredentialCheck(True, "The site shows its runs to everybody.")
    token = await get_token(client.session, client.connection, token_url) if token_url else credential
    account = credential.partition(":")[0] if token_url else None
    return CredentialCheck(True, "The site shows the runs of this account.", account, read_expiry(token))
