"""What the adapter makes of each server's description of itself, and of credentials."""

import base64
import json
import time
from typing import Any

import pytest
from aiohttp import web

from microservices.backends.base import CredentialRefusedError, SiteError, SiteUnavailableError
from microservices.backends.ga4gh_wes import WesBackend
from microservices.backends.registry import ADAPTERS
from tests.backends.stub_site import StubSite, run_site
from tests.backends_wes import dialects
from tests.backends_wes.wes_stub import BASE, TOKEN, open_wes

INFO, RUNS = f"{BASE}/service-info", f"{BASE}/runs"


def test_the_registry_knows_the_adapter() -> None:
    assert ADAPTERS["ga4gh"] is WesBackend


@pytest.mark.parametrize(
    ("info", "apps"),
    [
        (dialects.SAPPORO, ("CWL v1.0", "CWL v1.2")),
        (dialects.SPECIFICATION_1_1, ("CWL v1.2",)),
        (dialects.TOIL, ("cwl v1.0", "cwl v1.2")),
        (dialects.WESKIT, ("NFL 22.10.0", "SMK 6.10.0")),
        (dialects.STARTER_KIT, ("NEXTFLOW 21.04.0", "WDL 1.0")),
        (dialects.WES_SERVICE, ("CWL v1.0",)),
    ],
    ids=dialects.ALL,
)
async def test_every_server_is_healthy_and_described(info: dict[str, Any], apps: tuple[str, ...]) -> None:
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        site.answer(INFO, info)
        probe = await backend.probe()
        assert (probe.health, probe.version) == ("healthy", info.get("version"))
        assert probe.response_time_ms is not None
        assert "Authorization" not in site.seen[0].headers
        described = await backend.describe()
        assert described.apps == apps
        assert described.panels is None
        assert "no list of panels" in described.panels_note
        assert described.name == info.get("name", "127.0.0.1")


@pytest.mark.parametrize(
    ("info", "software", "facts"),
    [
        # finds by mark, cancels, hands out results, resumes downloads, takes files
        (dialects.SAPPORO, "Sapporo", (True, True, True, True, True)),
        (dialects.SPECIFICATION_1_1, "WES", (True, None, None, None, True)),
        (dialects.TOIL, "Toil", (True, True, False, None, True)),
        (dialects.WESKIT, "WESkit", (False, False, None, None, True)),
        (dialects.STARTER_KIT, "GA4GH Starter Kit", (False, False, False, None, False)),
        (dialects.WES_SERVICE, "wes-service", (None, False, False, None, True)),
    ],
    ids=dialects.ALL,
)
async def test_each_server_is_recognised_with_what_can_be_counted_on(
    info: dict[str, Any], software: str, facts: tuple[bool | None, ...]
) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(INFO, info)
        described = await backend.describe()
    told = described.capabilities
    found = (
        told.finds_by_mark,
        told.cancels,
        told.hands_out_results,
        told.resumes_downloads,
        told.takes_files,
    )
    assert (described.software, found) == (software, facts)
    assert (told.lists_panels, told.restarts, told.deletes) == (False, False, software == "Sapporo")


async def test_service_info_is_read_whole_and_as_plain_text() -> None:
    info = {
        **dialects.WESKIT,
        "organization": {"name": "Example <b>Institute</b>", "url": "https://example.org"},
        "supported_filesystem_protocols": ["file", "S3"],
        "system_state_counts": {"RUNNING": 3, "COMPLETE": 1200, "odd": "many"},
        "default_workflow_engine_parameters": [
            {"name": "NFL|22.10.0|trace", "type": "bool", "default_value": "true"},
            {"name": "SMK|6.10.0|cores", "type": "integer", "default_value": None},
        ],
        "tags": {"node": "one", "more": {"nested": 1}},
    }
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(INFO, info)
        described = await backend.describe()
    facts = described.workflows
    assert facts is not None
    assert described.counts == (("RUNNING", 3), ("COMPLETE", 1200))
    assert facts.types == (("NFL", ("22.10.0",)), ("SMK", ("6.10.0",)))
    assert facts.engines == (("NFL", ("22.10.0",)), ("SMK", ("6.10.0",)))
    assert facts.protocols == ("file", "S3")
    assert (facts.contact, facts.organization) == ("mailto:nobody@example.org", "Example Institute")
    assert [(p.name, p.default) for p in facts.parameters] == [
        ("NFL|22.10.0|trace", "true"),
        ("SMK|6.10.0|cores", None),
    ]
    assert facts.tags == (("node", "one"),)


async def test_parameters_by_engine_are_read_and_nonsense_is_left_out() -> None:
    defaults = {"snakemake": [{"name": "cores", "type": "int", "default_value": 4}], "x": "y", "z": [[["deep"]]]}
    odd = {"default_workflow_engine_parameters": defaults, "system_state_counts": [], "organization": "none"}
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(INFO, {**dialects.SAPPORO, **odd})
        described = await backend.describe()
    assert described.workflows is not None
    assert [(p.name, p.type, p.default) for p in described.workflows.parameters] == [("cores", "int", "4")]
    assert (described.counts, described.workflows.organization) == ((), "")


@pytest.mark.parametrize(
    "answer",
    [
        {"document": {"status": "ok"}},
        {"text": "<html>Welcome</html>"},
        {"text": "[]"},
        {"text": "<html>Log in</html>", "status": 401},
    ],
)
async def test_what_is_not_wes_is_no_healthy_site(answer: dict[str, Any]) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(INFO, **answer)
        assert (await backend.probe()).health == "unhealthy"
        with pytest.raises(SiteError):
            await backend.describe()


async def test_a_site_that_describes_itself_to_accounts_only_is_asked_again_with_the_token() -> None:
    async def guard(request: web.Request) -> web.Response:
        known = request.headers.get("Authorization") == f"Bearer {TOKEN}"
        return web.json_response(dialects.SAPPORO if known else {"msg": "no"}, status=200 if known else 401)

    async with run_site() as site:
        site.handle(INFO, guard)
        async with open_wes(site.base_url) as stranger:
            probe = await stranger.probe()
            assert (probe.health, probe.version) == ("healthy", None)
        async with open_wes(site.base_url, token=TOKEN) as known:
            assert (await known.probe()).version == "2.4.0"


async def test_a_site_that_is_away_is_unhealthy_and_never_an_error() -> None:
    async with run_site() as site:
        gone = site.base_url
    async with open_wes(gone) as backend:
        probe = await backend.probe()
        assert (probe.health, probe.response_time_ms) == ("unhealthy", None)


async def test_a_redirect_is_not_followed() -> None:
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        site.answer(INFO, status=307, headers={"Location": "https://elsewhere.example.org/service-info"})
        with pytest.raises(SiteError) as refused:
            await backend.describe()
        assert (refused.value.code, refused.value.whose) == ("redirected", "platform")


def make_jwt(**claims: Any) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({}, claims)]
    return ".".join([*parts, "signature"])


async def test_a_token_is_good_where_runs_are_shown_with_it() -> None:
    token = make_jwt(exp=1900000000)
    async with run_site() as site, open_wes(site.base_url, token=token) as backend:
        site.answer(RUNS, {"runs": [], "next_page_token": ""})
        check = await backend.verify_credential()
        assert check.valid
        assert check.expires_at is not None
        assert int(check.expires_at.timestamp()) == 1900000000
        assert site.seen[0].headers["Authorization"] == f"Bearer {token}"
        assert site.seen[0].query == {"page_size": "1"}
        site.answer(RUNS, {"msg": "Invalid token", "status_code": 401}, status=401)
        assert (await backend.verify_credential()).valid is False


async def test_a_site_that_fails_says_nothing_about_a_token() -> None:
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        site.answer(RUNS, text="<html>", status=502)
        with pytest.raises(SiteUnavailableError):
            await backend.verify_credential()


def serve_tokens(site: StubSite, token: str, password: str = "pass:word") -> None:
    async def give(request: web.Request) -> web.Response:
        form = await request.post()
        if (form.get("username"), form.get("password")) == ("alice", password):
            return web.json_response({"access_token": token, "token_type": "bearer"})
        return web.json_response({"msg": f"no {form.get('password')!r}", "status_code": 401}, status=401)

    site.handle("/token", give, method="POST")


async def test_name_and_password_become_a_token_that_is_kept_until_it_ends_or_is_taken_back() -> None:
    token = make_jwt(exp=time.time() + 3600)
    async with run_site() as site:
        serve_tokens(site, token)
        site.answer(RUNS, {"runs": []})
        config: dict[str, Any] = {"token": "alice:pass:word", "token_url": f"{site.base_url}/token"}
        async with open_wes(site.base_url, **config) as backend:
            check = await backend.verify_credential()
            assert (check.valid, check.account) == (True, "alice")
            assert check.expires_at is not None
            await backend.verify_credential()
            assert site.count("/token") == 1
            assert site.seen[1].headers["Authorization"] == f"Bearer {token}"
            site.answer(RUNS, {"msg": "revoked"}, status=401)
            assert not (await backend.verify_credential()).valid
            site.answer(RUNS, {"runs": []})
            assert (await backend.verify_credential()).valid
            assert site.count("/token") == 2


@pytest.mark.parametrize(("lifetime_s", "asked"), [(3600, 1), (10, 2), (None, 1)])
async def test_a_token_that_tells_no_end_is_kept_for_as_long_as_the_server_says(
    lifetime_s: int | None, asked: int
) -> None:
    async with run_site() as site:
        site.answer("/token", {"access_token": "opaque", "expires_in": lifetime_s}, method="POST")
        site.answer(RUNS, {"runs": []})
        async with open_wes(site.base_url, token="alice:x", token_url=f"{site.base_url}/token") as backend:
            for _ in range(2):
                [job async for job in backend.list_states()]
    assert site.count("/token") == asked


@pytest.mark.parametrize("credential", ["alice:wrong", "alice", ":x"])
async def test_a_wrong_password_is_the_owner_s_and_told_to_nobody(credential: str) -> None:
    async with run_site() as site:
        serve_tokens(site, TOKEN)
        async with open_wes(site.base_url, token=credential, token_url=f"{site.base_url}/token") as backend:
            check = await backend.verify_credential()
            assert not check.valid
            assert "wrong" not in check.message
            with pytest.raises(CredentialRefusedError) as refused:
                await backend.status("x")
            assert refused.value.whose == "input"


async def test_a_password_never_travels_in_the_clear_over_the_internet() -> None:
    async with run_site() as site:
        config: dict[str, Any] = {"token_url": "http://tokens.example.org/", "allow_private_network": False}
        async with open_wes(site.base_url, token="alice:secret", **config) as backend:
            with pytest.raises(SiteError) as refused:
                await backend.verify_credential()
            assert refused.value.code == "token_url_unusable"
