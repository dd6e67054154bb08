"""How a run is sent to each server, and what is known afterwards of whether it is there."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from microservices.backends.base import CredentialRefusedError, SiteError, SiteUnavailableError
from microservices.backends.session import Deadlines
from tests.backends.runs import endless_file, input_file
from tests.backends.stub_site import run_site
from tests.backends_wes import dialects
from tests.backends_wes.wes_stub import BASE, MARK, TOKEN, accept_runs, open_wes, recipe, run

RUNS = f"{BASE}/runs"


async def test_a_run_is_sent_by_the_letter_of_1_1() -> None:
    wanted = recipe(
        workflow_engine="cwltool",
        workflow_engine_version="3.1",
        engine_parameters={"--parallel": True, "--retries": 2},
        attachments={"impute.cwl": "cwlVersion: v1.2"},
    )
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        inbox = accept_runs(site, dialects.SPECIFICATION_1_1)
        assert await backend.submit(run(recipe=wanted)) == dialects.RUN
        assert site.seen[-1].headers["Authorization"] == f"Bearer {TOKEN}"
    assert inbox.files == [
        ("workflow_attachment", "impute.cwl", b"cwlVersion: v1.2"),
        ("workflow_attachment", "cohort.vcf.gz", b"genotypes" * 1000),
    ]
    assert inbox.parameters() == {"target": "cohort.vcf.gz", "panel": "afr-panel"}
    assert json.loads(inbox.fields["tags"]) == {"imputehub": MARK}
    assert json.loads(inbox.fields["workflow_engine_parameters"]) == {"--parallel": "true", "--retries": "2"}
    plain = {name: inbox.fields[name] for name in inbox.fields if name.startswith("workflow_") and "param" not in name}
    assert plain == {
        "workflow_type": "CWL",
        "workflow_type_version": "v1.2",
        "workflow_url": "impute.cwl",
        "workflow_engine": "cwltool",
        "workflow_engine_version": "3.1",
    }


async def test_sapporo_gets_the_engine_that_it_requires() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        inbox = accept_runs(site, dialects.SAPPORO)
        await backend.submit(run(recipe=recipe(workflow_engine="cwltool")))
        assert inbox.fields["workflow_engine"] == "cwltool"


async def test_a_server_of_1_0_gets_no_engine_and_its_own_spelling_of_the_type() -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        inbox = accept_runs(site, dialects.TOIL)
        await backend.submit(run(recipe=recipe(workflow_engine="cwltool")))
        assert "workflow_engine" not in inbox.fields
        assert inbox.fields["workflow_type"] == "cwl"


async def test_weskit_gets_nothing_but_texts_and_a_folder_of_the_run_s_own() -> None:
    parameters = {"in": "{{inputs.locations}}", "r2": 0.3, "keep": True, "nothing": None, "list": [1, 2]}
    wanted = recipe(workflow_type="NFL", workflow_type_version="22.10.0", parameters=parameters)
    files = (input_file("a.vcf.gz", b"a"), input_file("b.vcf.gz", b"b"))
    async with run_site() as site, open_wes(site.base_url) as backend:
        inbox = accept_runs(site, dialects.WESKIT)
        await backend.submit(run(*files, recipe=wanted))
    assert inbox.parameters() == {"in": "a.vcf.gz b.vcf.gz", "r2": "0.3", "keep": "true", "list": "1 2"}
    assert json.loads(inbox.fields["tags"]) == {"imputehub": MARK, "run_dir": MARK}


async def test_weskit_cannot_take_an_object() -> None:
    wanted = recipe(workflow_type="NFL", workflow_type_version="22.10.0", parameters={"in": {"path": "x"}})
    async with run_site() as site, open_wes(site.base_url) as backend:
        accept_runs(site, dialects.WESKIT)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(recipe=wanted))
        assert (refused.value.code, refused.value.sent) == ("recipe_unusable", "nothing")
        assert site.count(RUNS) == 0


async def test_a_signed_address_goes_to_the_starter_kit_and_no_file() -> None:
    wanted = recipe(workflow_type="NEXTFLOW", workflow_type_version="21.04.0")
    file = replace(input_file("cohort.vcf.gz", b"x"), url="https://files.example.org/f?signature=s")
    async with run_site() as site, open_wes(site.base_url, input_mode="url") as backend:
        inbox = accept_runs(site, dialects.STARTER_KIT)
        await backend.submit(run(file, recipe=wanted))
    assert inbox.parameters()["target"] == "https://files.example.org/f?signature=s"
    assert inbox.files == []


async def test_no_file_is_sent_to_a_server_that_drops_it() -> None:
    wanted = recipe(workflow_type="NEXTFLOW", workflow_type_version="21.04.0")
    async with run_site() as site, open_wes(site.base_url) as backend:
        accept_runs(site, dialects.STARTER_KIT)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run(recipe=wanted))
        assert (refused.value.code, refused.value.permanent) == ("attachments_ignored", True)


async def test_an_address_that_is_missing_is_the_platform_s_fault() -> None:
    async with run_site() as site, open_wes(site.base_url, input_mode="url") as backend:
        accept_runs(site, dialects.SPECIFICATION_1_1)
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
        assert (refused.value.code, refused.value.whose) == ("input_url_missing", "platform")


@pytest.mark.parametrize(
    ("submission", "code", "whose"),
    [
        (run(recipe=None), "recipe_unusable", "platform"),
        (run(recipe={"workflow_type": "CWL"}), "recipe_unusable", "platform"),
        (run(recipe=recipe(parameters={"x": "{{run.secret}}"})), "recipe_unusable", "platform"),
        (run(recipe=recipe(attachments={"../x.cwl": ""})), "recipe_unusable", "platform"),
        (run(recipe=recipe(workflow_type="WDL")), "workflow_type_unknown", "platform"),
        (run(recipe=recipe(workflow_type_version="v9")), "workflow_type_unknown", "platform"),
        (run(input_file("a.vcf.gz", b""), input_file("b.vcf.gz", b"")), "one_file_only", "input"),
        (run(mode="qc_only"), "mode_unsupported", "input"),
        (run(input_file("cohort.bcf", b"")), "filename_unusable", "input"),
    ],
)
async def test_what_cannot_work_is_refused_before_a_byte_leaves(submission: Any, code: str, whose: str) -> None:
    async with run_site() as site, open_wes(site.base_url) as backend:
        accept_runs(site, dialects.SPECIFICATION_1_1)
        with pytest.raises(SiteError) as refused:
            await backend.submit(submission)
        error = refused.value
        assert (error.code, error.whose, error.permanent, error.sent) == (code, whose, True, "nothing")
        assert site.count(RUNS) == 0


async def test_placeholders_are_filled_in_wherever_they_stand() -> None:
    parameters = {
        "files": [{"class": "File", "path": "{{ input.location }}"}],
        "all": "{{inputs.locations}}",
        "line": "in={{inputs.locations}};b={{job.build}};p={{job.population}};r={{job.r2_filter}};m={{job.mode}}",
        "name": "{{input.filename}}",
        "number": 7,
    }
    files = (input_file("my cohort.vcf.gz", b"1"), input_file("My_Cohort.vcf.gz", b"2"))
    async with run_site() as site, open_wes(site.base_url) as backend:
        inbox = accept_runs(site, dialects.SPECIFICATION_1_1)
        await backend.submit(run(*files, recipe=recipe(parameters=parameters), population=None, r2_filter=0.0))
    assert "workflow_engine" not in inbox.fields
    names = ["my_cohort.vcf.gz", "My_Cohort-2.vcf.gz"]
    assert inbox.parameters() == {
        "files": [{"class": "File", "path": names[0]}],
        "all": names,
        "line": f"in={names[0]} {names[1]};b=hg38;p=;r=0;m=imputation",
        "name": names[0],
        "number": 7,
    }
    assert [name for _, name, _ in inbox.files] == names


@pytest.mark.parametrize(
    ("status", "document", "code", "sent"),
    [
        (400, {"msg": "Malformed request: ['x']", "status_code": 400}, "refused", "nothing"),
        (409, {"msg": "Could not register new WorkflowRun", "status_code": 409}, "refused", "nothing"),
        (415, {"title": "Unsupported Media Type"}, "refused", "nothing"),
        (401, {"msg": "no token"}, "credential_refused", "nothing"),
        (403, {"msg": "not you"}, "access_denied", "nothing"),
        (413, None, "upload_too_large", "nothing"),
        (429, {"msg": "slowly"}, "unavailable", "nothing"),
        (429, None, "answer_not_json", "all"),
        (500, {"msg": "bad params", "status_code": 500}, "unavailable", "all"),
        (502, None, "answer_not_json", "all"),
        (200, {"message": "welcome"}, "answer_unreadable", "all"),
        (200, {"run_id": "../../etc"}, "answer_unreadable", "all"),
        (302, None, "redirected", "nothing"),
    ],
)
async def test_a_refusal_tells_whether_a_run_may_exist(
    status: int, document: dict[str, Any] | None, code: str, sent: str
) -> None:
    async with run_site() as site, open_wes(site.base_url, token=TOKEN) as backend:
        site.answer(f"{BASE}/service-info", dialects.SPECIFICATION_1_1)
        site.answer(RUNS, document, status=status, method="POST")
        with pytest.raises(SiteError) as refused:
            await backend.submit(run())
        assert (refused.value.code, refused.value.sent) == (code, sent)
        assert isinstance(refused.value, CredentialRefusedError) == (status == 401)


async def test_an_answer_that_never_comes_leaves_open_whether_the_run_exists() -> None:
    async def swallow(request: web.Request) -> web.Response:
        await request.read()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", dialects.SPECIFICATION_1_1)
        site.handle(RUNS, swallow, method="POST")
        with pytest.raises(SiteUnavailableError) as lost:
            await backend.submit(run())
        assert lost.value.sent == "all"


async def test_a_server_that_does_not_answer_in_time_leaves_it_open_too() -> None:
    stuck = asyncio.Event()

    async def hang(request: web.Request) -> web.Response:
        await request.read()
        await stuck.wait()
        return web.Response()

    deadlines = Deadlines(answer_s=0.2)
    async with run_site() as site, open_wes(site.base_url, deadlines=deadlines) as backend:
        site.answer(f"{BASE}/service-info", dialects.SPECIFICATION_1_1)
        site.handle(RUNS, hang, method="POST")
        with pytest.raises(SiteUnavailableError) as lost:
            await backend.submit(run())
        assert (lost.value.code, lost.value.sent) == ("timeout", "all")
        stuck.set()


async def test_a_body_that_is_cut_has_made_no_run() -> None:
    async def cut(request: web.Request) -> web.Response:
        await request.content.readany()
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async with run_site() as site, open_wes(site.base_url) as backend:
        site.answer(f"{BASE}/service-info", dialects.SPECIFICATION_1_1)
        site.handle(RUNS, cut, method="POST")
        with pytest.raises(SiteUnavailableError) as lost:
            await backend.submit(run(endless_file(64 * 1024**2)))
        assert lost.value.sent == "partial"
