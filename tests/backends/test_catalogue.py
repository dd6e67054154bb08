"""Health, description and credential, asked of a site."""

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from microservices.backends.base import CredentialRefusedError, SiteError, SiteUnavailableError
from tests.backends import shapes
from tests.backends.stub_site import TOKEN, framework_error, open_michigan, own_error, run_site

APP_PATH = "/api/v2/server/apps/imputationserver2@2.0.12"
COUNTERS_PATH = "/api/v2/server/counters"
PAGE: dict[str, Any] = {"text": "<html><title>Down</title>We will be back</html>", "content_type": "text/html"}


async def test_a_site_that_answers_with_its_name_is_healthy_and_is_asked_without_token() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.stranger_server())
        probe = await backend.probe()
    assert (probe.health, probe.message) == ("healthy", "Example Imputation Server answers.")
    assert probe.response_time_ms is not None
    assert 0 < probe.response_time_ms < 5000
    assert site.seen[0].token is None


async def test_json_labelled_as_text_is_healthy() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", text=json.dumps(shapes.stranger_server()), content_type="text/plain")
        assert (await backend.probe()).health == "healthy"


async def test_maintenance_is_degraded_in_the_sites_words() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.stranger_server(maintenace=True, maintenaceMessage="Back at <b>noon</b>"))
        probe = await backend.probe()
        assert (probe.health, probe.message) == ("degraded", "Back at noon")
        site.answer("/api/v2/server", own_error("This functionality is currently under maintenance."), status=503)
        assert (await backend.probe()).health == "degraded"


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (200, PAGE, "something else than data"),
        (200, {"document": {"hello": "world"}}, "not a Cloudgene server"),
        (401, {"document": framework_error("Unauthorized")}, "log-in"),
        (301, {"headers": {"Location": "https://elsewhere.example.org/"}}, "redirects"),
        (502, PAGE, "502"),
        (500, {"document": framework_error("Internal Server Error")}, "Internal Server Error"),
        (404, {"document": framework_error("Not Found")}, "404"),
    ],
)
async def test_any_other_answer_is_unhealthy_and_says_why(status: int, answer: dict[str, Any], words: str) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", status=status, **answer)
        probe = await backend.probe()
    assert probe.health == "unhealthy"
    assert words in probe.message


async def test_a_site_that_cannot_count_its_jobs_is_unhealthy() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.stranger_server())
        site.answer(COUNTERS_PATH, framework_error("Internal Server Error"), status=500)
        assert (await backend.probe()).health == "unhealthy"
        site.answer(COUNTERS_PATH, {"hello": "world"})
        assert (await backend.probe()).code == "answer_unreadable"


async def test_a_probe_reads_no_answer_without_end() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.stranger_server(footer="x" * 2 * 1024**2))
        assert (await backend.probe()).code == "answer_too_large"


async def test_nobody_listening_is_unhealthy_without_a_response_time() -> None:
    async with run_site() as site:
        address = site.base_url
    async with open_michigan(address) as backend:
        probe = await backend.probe()
    assert (probe.health, probe.response_time_ms, probe.code) == ("unhealthy", None, "connect_failed")
    assert "could not be reached" in probe.message


async def test_a_site_is_described_with_panels_populations_and_builds() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.server())
        site.answer(APP_PATH, shapes.application())
        description = await backend.describe()
    assert description.name == "Example Imputation Server"
    assert description.version == "2.0.12"
    assert description.apps == ("imputationserver2@2.0.12", "imputationserver-hla@1.0.0")
    assert description.panels is not None
    first, second, third = description.panels
    assert (first.panel_id, first.name) == ("apps@1000g-phase-3-v5@2.0.0", "1000G Phase 3 v5 (GRCh37/hg19)")
    assert first.populations == ("afr", "eur", "off")
    assert [panel.build for panel in description.panels] == ["hg19", "hg38", None]
    assert (second.populations, third.populations) == (("all",), ())
    assert third.name == "Mystery Panel"
    assert {request.token for request in site.seen if request.path != COUNTERS_PATH} == {TOKEN}
    assert description.software == "Cloudgene 3"
    assert (description.panels_note, description.maintenance) == ("", "")
    assert (description.capabilities.lists_panels, description.capabilities.resumes_downloads) == (True, None)
    assert (description.capabilities.restarts, description.capabilities.deletes) == (True, False)
    assert (description.limits.told, description.limits.max_samples) == (False, 50_000)


async def test_of_several_lists_the_populations_are_those_bound_to_the_panel() -> None:
    panel = "apps@both@1.0.0"

    def bound(name: str, to: str, code: str) -> dict[str, Any]:
        values = [shapes.choice(panel, None, values=[shapes.choice(code, code.upper())])]
        return {"id": name, "type": "binded_list", "bind": to, "values": values}

    refpanel = {"id": "refpanel", "type": "app_list", "values": [shapes.choice(panel, "From hg19 to hg38")]}
    lists = [bound("population", "other", "one"), bound("phasing", "refpanel", "two")]
    lists.append(bound("population", "refpanel", "three"))
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.server())
        site.answer(APP_PATH, {"id": "imputationserver2", "params": [*lists, refpanel]})
        (found,) = (await backend.describe()).panels or ()
    assert found.populations == ("three",)
    assert found.build is None, "a name that tells both builds tells none"


async def test_cloudgene_2_values_are_understood() -> None:
    document = {
        "id": "imputationserver@2.1.9",
        "params": [
            {
                "id": "refpanel",
                "type": "app_list",
                "values": [{"key": "hrc-r1-1-msav@1.1", "value": "HRC (hg19)"}],
            },
            {
                "id": "population",
                "type": "binded_list",
                "bind": "refpanel",
                "values": [
                    {
                        "key": "hrc-r1-1-msav@1.1",
                        "label": "HRC",
                        "values": [{"key": "mixed", "value": "Mixed", "enabled": True}],
                    }
                ],
            },
        ],
    }
    async with run_site() as site, open_michigan(site.base_url, app="imputationserver@2.1.9") as backend:
        site.answer("/api/v2/server", {"name": "Old", "apps": [{"id": "imputationserver@2.1.9", "name": "x"}]})
        site.answer("/api/v2/server/apps/imputationserver@2.1.9", document)
        description = await backend.describe()
    assert description.panels is not None
    assert description.panels[0].populations == ("mixed",)
    assert (description.software, description.version) == ("Cloudgene 2", "2.1.9")
    assert (description.capabilities.resumes_downloads, description.capabilities.restarts) == (True, False)


async def test_how_busy_a_site_is_is_read_where_it_tells() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.server())
        site.answer(APP_PATH, shapes.application())
        counters = {"complete": {"runs": 1204, "samples": 9}, "queue": {"size": 7}, "users": 3}
        site.answer(COUNTERS_PATH, counters)
        assert (await backend.describe()).counts == (("jobs waiting", 7), ("jobs completed", 1204))
        site.answer(COUNTERS_PATH, {"complete": [], "queue": {"size": "many"}})
        assert (await backend.describe()).counts == ()


async def test_a_stranger_is_told_what_is_public_and_that_a_token_is_wanted() -> None:
    async with run_site() as site, open_michigan(site.base_url, token=None) as backend:
        site.answer("/api/v2/server", shapes.stranger_server())
        description = await backend.describe()
        assert (description.name, description.panels) == ("Example Imputation Server", None)
        assert "accounts only" in description.panels_note
        site.answer("/api/v2/server", shapes.server(loggedIn=False))
        site.answer(APP_PATH, framework_error("Unauthorized"), status=401)
        description = await backend.describe()
        assert (description.panels, description.version) == (None, "2.0.12")


async def test_a_resting_site_is_described_in_its_words_and_tells_no_list() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.server(maintenace=True, maintenaceMessage="Back at <b>noon</b>"))
        description = await backend.describe()
    assert (description.maintenance, description.panels) == ("Back at noon", None)
    assert description.panels_note == "Back at noon"


async def test_an_application_without_panels_says_so_and_an_empty_list_is_a_list() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.server())
        site.answer(APP_PATH, {"id": "imputationserver2", "params": []})
        description = await backend.describe()
        assert description.panels is None
        assert "no list of panels" in description.panels_note
        site.answer(APP_PATH, {"id": "x", "params": [{"id": "refpanel", "type": "app_list", "values": []}]})
        assert (await backend.describe()).panels == ()


async def test_describing_with_a_bad_token_asks_for_a_new_one() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.stranger_server())
        with pytest.raises(CredentialRefusedError):
            await backend.describe()


async def test_a_missing_application_is_the_platforms_unless_the_token_is_bad() -> None:
    async with run_site() as site, open_michigan(site.base_url, app="nothing") as backend:
        site.answer("/api/v2/server", shapes.server())
        site.answer(
            "/api/v2/server/apps/nothing",
            own_error("Application nothing not found or the request requires user authentication."),
            status=404,
        )
        site.answer("/api/v2/tokens/verify", {"valid": True, "message": "fine"}, method="POST")
        with pytest.raises(SiteError) as refused:
            await backend.describe()
        assert (refused.value.code, refused.value.whose) == ("application_unknown", "platform")
        assert refused.value.permanent
        site.answer("/api/v2/tokens/verify", {"valid": False, "message": "Invalid API Token."}, method="POST")
        with pytest.raises(CredentialRefusedError, match="Invalid API Token"):
            await backend.describe()


async def test_a_valid_token_tells_its_account_and_expiry() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        document = {
            "valid": True,
            "message": "API Token was created by %s and is valid.",
            "username": "alice",
            "expire": "2026-12-22T12:54:55Z",
        }
        site.answer("/api/v2/tokens/verify", document, method="POST")
        check = await backend.verify_credential()
    assert check.valid
    assert (check.account, check.message) == ("alice", "API Token was created by alice and is valid.")
    assert check.expires_at == datetime(2026, 12, 22, 12, 54, 55, tzinfo=UTC)
    assert site.seen[0].token is None, "the token is what is asked about, not who asks"


@pytest.mark.parametrize("claims", [{"exp": 1798000000}, {"expire": 1798000000000}])
async def test_the_expiry_is_read_from_the_token_of_either_generation(claims: dict[str, int]) -> None:
    token = "x." + base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=") + ".y"
    async with run_site() as site, open_michigan(site.base_url, token=token) as backend:
        site.answer("/api/v2/tokens/verify", text='{"valid": true}', content_type="text/plain", method="POST")
        check = await backend.verify_credential()
    assert check.expires_at == datetime.fromtimestamp(1798000000, UTC)


async def test_only_valid_decides_about_a_token() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        document = {"valid": False, "message": "API Token was created by alice and is valid.", "username": None}
        site.answer("/api/v2/tokens/verify", document, method="POST")
        assert not (await backend.verify_credential()).valid
        site.answer("/api/v2/tokens/verify", {"valid": False, "error": "Unkown error."}, method="POST")
        assert (await backend.verify_credential()).message == "Unkown error."
        site.answer("/api/v2/tokens/verify", method="POST", **PAGE)
        with pytest.raises(SiteUnavailableError):
            await backend.verify_credential()


async def test_a_token_with_a_line_break_is_refused_before_it_is_sent() -> None:
    async with run_site() as site, open_michigan(site.base_url, token="ab\r\nHost: x") as backend:
        with pytest.raises(CredentialRefusedError) as refused:
            await backend.describe()
    assert refused.value.code == "credential_malformed"
    assert site.seen == []


async def test_a_token_that_the_site_repeats_does_not_reach_the_message() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", own_error(f"bad token {TOKEN}"), status=400)
        with pytest.raises(SiteError) as refused:
            await backend.describe()
    assert "bad token" in refused.value.message
    assert TOKEN not in refused.value.message


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("120", 120), ("Fri, 31 Dec 2100 23:59:59 GMT", 86_400), ("Sat, 01 Jan 2000 00:00:00 GMT", 0), ("soon", None)],
)
async def test_retry_after_is_carried_as_seconds(told: str, seconds: float | None) -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", status=429, headers={"Retry-After": told}, text="slow down")
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.describe()
    assert refused.value.retry_after_s == seconds
