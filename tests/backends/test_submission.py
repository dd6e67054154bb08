"""Sending a run: what arrives, and what each answer means."""

from typing import Any

import pytest

from microservices.backends.base import CredentialRefusedError, SiteError, SiteFullError, SiteUnavailableError
from tests.backends import shapes
from tests.backends.runs import APP, SUBMIT_PATH, accept_uploads, input_file, run
from tests.backends.stub_site import TOKEN, framework_error, open_michigan, own_error, run_site

FULL = "Only 2 jobs per user can be executed simultaneously."
RESTS = "This functionality is currently under maintenance."
PAGE: dict[str, Any] = {"text": "<html>Bad gateway</html>", "content_type": "text/html"}


async def test_a_run_arrives_with_all_its_fields_and_exact_length() -> None:
    async with run_site() as site, open_michigan(site.base_url) as backend:
        site.answer("/api/v2/server", shapes.server())
        parts = accept_uploads(site)
        first, second = input_file("/data/chr20.VCF.GZ", b"a" * 300_000), input_file("x y.vcf.gz", b"")
        assert await backend.submit(run(first, second)) == shapes.JOB
    fields = {name: content.decode() for name, filename, content in parts if filename is None}
    assert fields == {
        "job-name": "ih-0f3a9c11-1",
        "refpanel": "apps@1000g-phase-3-v5@2.0.0",
        "build": "hg38",
        "population": "eur",
        "phasing": "eagle",
        "r2Filter": "0.3",
        "mode": "imputation",
        "password": "Secret12345x",
        "aesEncryption": "yes",
    }
    files = [(name, filename, content) for name, filename, content in parts if filename is not None]
    assert files == [("files", "chr20.vcf.gz", b"a" * 300_000), ("files", "x_y.vcf.gz", b"")]
    request = site.seen[-1]
    assert request.token == TOKEN
    assert int(request.headers["Content-Length"]) > 300_000
    assert "Transfer-Encoding" not in request.headers


async def test_the_curators_application_is_used_without_asking_and_population_defaults_to_off() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        parts = accept_uploads(site)
        await backend.submit(run(population=None, r2_filter=0))
    assert ("population", None, b"off") in parts
    assert ("r2Filter", None, b"0") in parts
    assert site.count("/api/v2/server") == 0


@pytest.mark.parametrize(
    ("app", "word"), [(APP, b"qc_only"), ("imputationserver@2.1.9", b"qconly"), ("minimac4", b"qconly")]
)
async def test_each_generation_is_asked_for_a_check_of_quality_in_its_own_word(app: str, word: bytes) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=app) as backend:
        parts = accept_uploads(site, app)
        await backend.submit(run(mode="qc_only"))
    assert ("mode", None, word) in parts


async def test_a_site_of_the_older_generation_is_sent_nothing_without_a_population() -> None:
    async with run_site() as site, open_michigan(site.base_url, app="imputationserver@2.1.9") as backend:
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(population=None))
    error = refused.value
    assert (error.code, error.whose, error.permanent) == ("population_missing", "input", True)
    assert site.seen == []


async def test_files_of_one_name_reach_the_site_under_distinct_names() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        parts = accept_uploads(site)
        names = ("a/chr1.vcf.gz", "b/chr1.vcf.gz", "b\\CHR1.vcf.gz")
        await backend.submit(run(*(input_file(name, b"x") for name in names)))
    assert [filename for _, filename, _ in parts if filename] == ["chr1.vcf.gz", "chr1-2.vcf.gz", "CHR1-3.vcf.gz"]


@pytest.mark.parametrize(
    ("change", "code", "whose"),
    [
        ({"files": ()}, "no_input_files", "input"),
        ({"files": (input_file("cohort.vcf", b"x"),)}, "filename_unusable", "input"),
        ({"result_password": "1short"}, "field_unsafe", "platform"),
        ({"result_password": 'Pa$$word"1234'}, "field_unsafe", "platform"),
        ({"mark": "0042"}, "field_unsafe", "platform"),
        ({"mark": "a" * 51}, "field_unsafe", "platform"),
        ({"panel_id": "1000G Phase 3 (hg19)"}, "field_unsafe", "platform"),
    ],
)
async def test_what_would_not_arrive_unchanged_is_not_sent(change: dict[str, Any], code: str, whose: str) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(**change))
    error = refused.value
    assert (error.code, error.whose, error.permanent, error.sent) == (code, whose, True, "nothing")
    assert "Pa$$" not in str(error)
    assert site.seen == []


@pytest.mark.parametrize(
    ("status", "answer", "kind", "code", "permanent", "sent"),
    [
        (400, own_error(FULL), SiteFullError, "site_full", False, "nothing"),
        (401, framework_error("Unauthorized"), CredentialRefusedError, "credential_refused", True, "nothing"),
        (403, framework_error("Forbidden"), CredentialRefusedError, "credential_refused", True, "nothing"),
        (503, own_error(RESTS), SiteUnavailableError, "maintenance", False, "nothing"),
        (400, own_error("Parameter 'x' not found."), SiteError, "refused", True, "nothing"),
        (415, framework_error("Unsupported Media Type"), SiteError, "refused", True, "nothing"),
        (413, framework_error("too big"), SiteError, "upload_too_large", True, "nothing"),
        (400, own_error("Upload limit reached."), SiteError, "upload_too_large", True, "nothing"),
        (429, framework_error("Too many"), SiteUnavailableError, "unavailable", False, "nothing"),
        (500, framework_error("Internal Server Error"), SiteUnavailableError, "unavailable", False, "all"),
        (200, {"success": True, "message": "fine"}, SiteError, "answer_unreadable", False, "all"),
        (200, {"success": True, "id": "../../etc"}, SiteError, "answer_unreadable", False, "all"),
        (200, {"id": shapes.JOB}, SiteError, "answer_unreadable", False, "all"),
        (200, own_error("No"), SiteError, "refused", True, "nothing"),
        (200, {"success": True, "message": " " * 33 * 1024**2}, SiteUnavailableError, "answer_too_large", False, "all"),
    ],
)  # fmt: skip
async def test_each_answer_to_a_whole_body_has_its_meaning(
    status: int, answer: dict[str, Any], kind: type[SiteError], code: str, permanent: bool, sent: str
) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.answer(SUBMIT_PATH, answer, method="POST", status=status)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    error = refused.value
    assert (type(error), error.code, error.permanent, error.sent) == (kind, code, permanent, sent)
    assert TOKEN not in str(error)
    assert "Secret12345x" not in str(error)


@pytest.mark.parametrize(
    ("status", "code", "permanent", "sent"),
    [
        (200, "answer_unreadable", False, "all"),
        (502, "answer_not_json", False, "all"),
        (504, "answer_not_json", False, "all"),
        (413, "upload_too_large", True, "nothing"),
        (404, "answer_not_json", False, "nothing"),
    ],
)
async def test_a_proxys_page_tells_nothing_of_the_job(status: int, code: str, permanent: bool, sent: str) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.answer(SUBMIT_PATH, method="POST", status=status, **PAGE)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    assert (refused.value.code, refused.value.permanent, refused.value.sent) == (code, permanent, sent)


async def test_no_upload_is_begun_for_a_place_that_is_known_to_be_taken() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.answer(SUBMIT_PATH, own_error(FULL), method="POST", status=400)
        taken = [shapes.job(2, 0, id="job-a"), shapes.job(1, 0, id="job-b")]
        site.answer("/api/v2/jobs", {"count": 2, "data": taken})
        for _ in range(2):
            with pytest.raises(SiteFullError) as refused:
                await backend.submit(run())
            assert (refused.value.sent, refused.value.permanent) == ("nothing", False)
        assert (site.count(SUBMIT_PATH), site.count("/api/v2/jobs")) == (1, 1)
        accept_uploads(site)
        site.answer("/api/v2/jobs", {"count": 2, "data": [taken[0], shapes.job(4, -1, id="job-b")]})
        assert await backend.submit(run()) == shapes.JOB
        site.answer("/api/v2/jobs", {"hello": "world"})
        assert await backend.submit(run()) == shapes.JOB


async def test_a_curators_limit_counts_what_the_account_has_there_by_other_ways() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP, max_concurrent_jobs=1) as backend:
        accept_uploads(site)
        site.answer("/api/v2/jobs", {"count": 1, "data": [shapes.cloudgene2_job(2, complete=False)]})
        with pytest.raises(SiteFullError):
            await backend.submit(run())
        assert site.count(SUBMIT_PATH) == 0
        site.answer("/api/v2/jobs", framework_error("Unauthorized"), status=401)
        with pytest.raises(CredentialRefusedError):
            await backend.submit(run())
        assert site.count(SUBMIT_PATH) == 0


async def test_maintenance_carries_the_sites_wish() -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        headers = {"Retry-After": "90"}
        site.answer(SUBMIT_PATH, own_error("maintenance"), method="POST", status=503, headers=headers)
        with pytest.raises(SiteUnavailableError) as refused:
            await backend.submit(run())
    assert refused.value.retry_after_s == 90


@pytest.mark.parametrize("valid", [True, False])
async def test_a_404_of_the_application_looks_at_the_token_first(valid: bool) -> None:
    async with run_site() as site, open_michigan(site.base_url, app=APP) as backend:
        site.answer("/api/v2/tokens/verify", {"valid": valid, "message": "m"}, method="POST")
        site.answer(SUBMIT_PATH, own_error(f"Application '{APP}' not found."), method="POST", status=404)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    assert refused.value.code == ("application_unknown" if valid else "credential_refused")
    assert (refused.value.permanent, refused.value.sent) == (True, "nothing")


async def test_a_redirected_submission_is_not_followed() -> None:
    async with run_site() as site, run_site() as other, open_michigan(site.base_url, app=APP) as backend:
        location = {"Location": other.base_url + SUBMIT_PATH}
        site.answer(SUBMIT_PATH, method="POST", status=307, headers=location)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
    assert (refused.value.code, refused.value.whose) == ("redirected", "platform")
    assert other.seen == []
