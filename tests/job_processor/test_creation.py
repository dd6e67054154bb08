"""What can only fail at a site is refused before anything is sent, with what to change."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from microservices.job_processor.main import build
from microservices.job_processor.models import Run
from microservices.job_processor.wishes import NewJob
from microservices.kernel.testing import serve_app
from tests.job_processor.conftest import Person, World


def test_a_job_is_accepted_with_one_run_for_each_target(world: World, person: Person) -> None:
    answer = person.post_job(targets=person.describe_targets())
    assert answer.status_code == 202
    job = answer.json()
    assert job["status"] == "queued"
    assert [run["status"] for run in job["runs"]] == ["queued", "queued"]
    assert job["parameters"]["phasing"] == "no_phasing"
    assert job["created_at"].endswith("Z")


@pytest.mark.parametrize(
    ("file", "wish", "status", "code"),
    [
        ({"status": "checking"}, {}, 409, "file_not_ready"),
        ({"status": "rejected"}, {}, 400, "file_rejected"),
        ({"build": "hg19"}, {}, 400, "job_refused"),
        ({"phased": False}, {}, 400, "job_refused"),
        ({"filename": "cohort.vcf"}, {}, 400, "job_refused"),
        ({}, {"population": "martian"}, 400, "job_refused"),
        ({}, {"residency": {"countries": ["US"]}}, 400, "job_refused"),
        ({}, {"phasing": "guess"}, 400, "invalid_input"),
        ({}, {"name": "nul\x00l"}, 400, "invalid_input"),
        ({}, {"r2_filter": "NaN"}, 400, "invalid_input"),
        ({}, {"r2_filter": True}, 400, "invalid_input"),
        ({}, {"r2_filter": 10**400}, 400, "invalid_input"),
        ({}, {"surprise": 1}, 400, "invalid_input"),
        ({}, {"targets": []}, 400, "invalid_input"),
    ],
)
def test_a_job_that_cannot_succeed_is_refused(
    person: Person, file: dict[str, Any], wish: dict[str, Any], status: int, code: str
) -> None:
    file_id = person.add_file(**file)
    answer = person.post_job(input_file_ids=[str(file_id)], **wish)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("priority", "rank"), [("low", -1), ("normal", 0), ("high", 1)])
def test_a_jobs_priority_ranks_its_runs(world: World, person: Person, priority: str, rank: int) -> None:
    job_id, run_id = person.submit_job(priority=priority)
    assert person.get_job(job_id)["parameters"]["priority"] == priority
    with world.engine.database.transaction() as session:
        assert session.get_one(Run, run_id).priority == rank


def test_populations_compare_without_regard_to_case(person: Person) -> None:
    assert person.post_job(population="AFR").status_code == 202


def test_the_sites_limits_are_kept(world: World, person: Person) -> None:
    world.peers.site = {"min_samples": 20, "max_file_size_mb": 1}
    too_few = person.post_job(input_file_ids=[str(person.add_file(samples=3))])
    too_big = person.post_job(input_file_ids=[str(person.add_file(size=2 << 20))])
    assert "at least 20 samples" in too_few.json()["detail"]
    assert "1 MiB" in too_big.json()["detail"]


def test_two_inputs_of_one_name_or_chromosome_are_refused(person: Person) -> None:
    names = [person.add_file(), person.add_file(chromosomes=["chr21"])]
    chromosomes = [person.add_file(), person.add_file(filename="b.vcf.gz")]
    for files in (names, chromosomes):
        answer = person.post_job(input_file_ids=[str(file) for file in files])
        assert (answer.status_code, answer.json()["code"]) == (400, "job_refused")


def test_what_belongs_to_others_does_not_exist(world: World, person: Person) -> None:
    stranger = world.new_person()
    theirs = stranger.add_file()
    answer = person.post_job(input_file_ids=[str(theirs)])
    assert (answer.status_code, answer.json()["code"]) == (404, "file_not_found")
    job_id, _run = stranger.submit_job()
    for path in ("", "/events", "/results"):
        assert world.client.get(f"/api/v1/jobs/{job_id}{path}", headers=person.headers).status_code == 404
    for action in ("cancel", "retry"):
        assert world.client.post(f"/api/v1/jobs/{job_id}/{action}", headers=person.headers).status_code == 404
    assert world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).status_code == 404
    assert world.client.get("/api/v1/jobs", headers=person.headers).json()["total"] == 0


def test_a_panel_is_a_target_only_once(person: Person) -> None:
    target = person.describe_targets()[0]
    answer = person.post_job(targets=[target, target])
    assert (answer.status_code, answer.json()["code"]) == (400, "duplicate_target")


def test_an_unknown_panel_or_site_is_said_to_be_so(person: Person) -> None:
    target = person.describe_job()["targets"][0]
    no_panel = person.post_job(targets=[target | {"panel_id": str(uuid4())}])
    no_site = person.post_job(targets=[target | {"service_id": str(uuid4())}])
    assert no_panel.json()["code"] == "panel_not_found"
    assert no_site.json()["code"] == "service_not_found"


def test_the_same_request_twice_with_a_key_makes_one_job(world: World, person: Person) -> None:
    wish = person.describe_job()
    key = {"Idempotency-Key": uuid4().hex}
    first, second = (person.post_job(headers=key, **wish) for _ in range(2))
    assert first.json() == second.json()
    assert world.client.get("/api/v1/jobs", headers=person.headers).json()["total"] == 1
    other = person.post_job(headers=key, **(wish | {"name": "another"}))
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_conflict")


def test_jobs_are_listed_newest_first_filtered_and_paged(world: World, person: Person) -> None:
    for name in ("alpha", "beta", "alphabet"):
        person.submit_job(name=name)

    def names(query: str) -> list[str]:
        answer = world.client.get(f"/api/v1/jobs?{query}", headers=person.headers)
        return [item["name"] for item in answer.json()["items"]]

    assert names("") == ["alphabet", "beta", "alpha"]
    assert names("q=ALPHA&sort=name") == ["alpha", "alphabet"]
    assert names("status=completed") == []
    page = world.client.get("/api/v1/jobs?limit=2", headers=person.headers).json()
    assert page["total"] == 3
    assert names(f"limit=2&cursor={page['next_cursor']}") == ["alpha"]


@pytest.mark.parametrize(
    "query",
    [
        "created_after=0001-01-01T00:00:00%2B23:59",
        "created_after=9999-12-31T23:59:59-23:59",
        "created_after=1e400",
        "cursor="
        + base64.urlsafe_b64encode(b'["-created_at", "0001-01-01T00:00:00+23:59", "' + b"0" * 32 + b'"]').decode(),
        "q=%00",
        "status=lost",
        "sort=owner_id",
        "surprise=1",
    ],
)
def test_a_list_that_cannot_be_is_a_bad_request(world: World, person: Person, query: str) -> None:
    answer = world.client.get(f"/api/v1/jobs?{query}", headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


def test_a_time_without_an_offset_is_utc(world: World, person: Person) -> None:
    person.submit_job()
    now = datetime.now(UTC).replace(tzinfo=None)

    def count(moment: datetime) -> Any:
        query = {"created_after": moment.isoformat()}
        return world.client.get("/api/v1/jobs", params=query, headers=person.headers).json()["total"]

    assert (count(now - timedelta(minutes=1)), count(now + timedelta(minutes=1))) == (1, 0)


def test_jobs_are_accepted_while_the_broker_is_away(world: World, person: Person) -> None:
    wish = person.describe_job()
    offline = world.engine.settings.model_copy(update={"broker_url": SecretStr("redis://127.0.0.1:1/0")})
    with serve_app(build(offline)) as address:
        answer = httpx.post(f"{address}/api/v1/jobs", json=wish, headers=person.headers)
    assert (answer.status_code, answer.json()["status"]) == (202, "queued")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


def test_no_wish_whatsoever_is_a_fault_of_ours(world: World, person: Person) -> None:
    usual = person.describe_job()

    @settings(max_examples=60, deadline=None, derandomize=True)
    @given(st.dictionaries(st.sampled_from(sorted(NewJob.model_fields)) | st.text(max_size=5), JSON, max_size=3))
    def post(changes: dict[str, Any]) -> None:
        body = json.dumps(usual | changes).encode()
        headers = person.headers | {"Content-Type": "application/json"}
        answer = world.client.post("/api/v1/jobs", content=body, headers=headers)
        assert answer.status_code in (202, 400, 404, 409), answer.text

    post()


def test_a_file_of_an_unfinished_job_is_in_use(world: World, person: Person) -> None:
    file_id = person.add_file()
    job_id, _run = person.submit_job(input_file_ids=[str(file_id)])

    def ask() -> Any:
        headers = world.authority.service("file_manager")
        return world.client.get(f"/internal/files/{file_id}/usage", headers=headers).json()

    assert ask() == {"in_use": True}
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    assert ask() == {"in_use": False}


def test_a_workflow_site_needs_a_recipe_that_takes_all_inputs(world: World, person: Person) -> None:
    world.peers.site = {"api_type": "ga4gh"}
    assert "no recipe" in person.post_job().json()["detail"]
    world.peers.recipe = {"workflow_url": "imputation.cwl", "parameters": {"input": "{{input.location}}"}}
    assert person.post_job().status_code == 202
    several = [person.add_file(), person.add_file(filename="b.vcf.gz", chromosomes=["chr21"])]
    files = [str(file) for file in several]
    assert person.post_job(input_file_ids=files).json()["code"] == "one_file_only"
    world.peers.recipe["parameters"] = {"inputs": "{{inputs.locations}}"}
    assert person.post_job(input_file_ids=files).status_code == 202
