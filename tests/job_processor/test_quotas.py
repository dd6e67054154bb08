"""Quotas: how much people and organisations may have under way and begin, refused before anything is made."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import time_machine

from microservices.job_processor.logic.holding import describe_error, fail_run
from microservices.job_processor.logic.quotas import end_month
from microservices.job_processor.queries import lock_run
from tests.job_processor.conftest import Person, World


@pytest.fixture(autouse=True)
def _no_month_ends_meanwhile() -> Iterator[None]:
    with time_machine.travel(datetime.now(UTC).replace(day=15)):
        yield


@pytest.fixture
def admin(world: World) -> dict[str, str]:
    return world.authority.person(["admin"])


@pytest.fixture
def people(world: World) -> Iterator[tuple[Person, Person]]:
    """Two of one organisation."""
    first = world.new_person()
    return first, world.new_person(organization_id=first.organization_id)


def set_quotas(world: World, admin: dict[str, str], kind: str, subject_id: UUID, **limits: Any) -> dict[str, Any]:
    answer = world.client.put(f"/api/v1/jobs/quotas/{kind}/{subject_id}", json=limits, headers=admin)
    assert answer.status_code == 200, answer.text
    shown: dict[str, Any] = answer.json()
    return shown


def get_quota(person: Person) -> dict[str, Any]:
    shown: dict[str, Any] = person.world.client.get("/api/v1/jobs/quota", headers=person.headers).json()
    return shown


def let_fail(world: World, run_id: UUID) -> None:
    with world.engine.database.transaction() as session:
        run = lock_run(session, run_id)
        assert run is not None
        fail_run(session, run, describe_error("x", "x", "site", "x"))


def expect_refusal(answer: httpx.Response, status: int, **facts: Any) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["code"]) == (status, "quota_exceeded"), answer.text
    assert facts.items() <= problem["quota"].items()
    return problem


def test_a_quota_of_running_runs_frees_when_a_run_has_ended(world: World, person: Person, admin: Any) -> None:
    set_quotas(world, admin, "person", person.user_id, running_runs=2)
    job_id, _run = person.submit_job()
    answer = person.post_job(targets=person.describe_targets())
    problem = expect_refusal(
        answer, 429, name="running_runs", subject="person", most=2, used=1, wanted=2, frees_at=None
    )
    assert "1 are used, and this would add 2" in problem["detail"]
    assert person.post_job().status_code == 202
    assert person.post_job().status_code == 429
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    _job_id, run_id = person.submit_job()
    assert person.post_job().status_code == 429
    let_fail(world, run_id)
    assert person.post_job().status_code == 202


def test_a_month_counts_its_jobs_also_those_that_were_deleted(world: World, person: Person, admin: Any) -> None:
    set_quotas(world, admin, "person", person.user_id, jobs_per_month=1)
    job_id, _run = person.submit_job()
    world.client.post(f"/api/v1/jobs/{job_id}/cancel", headers=person.headers)
    assert world.client.delete(f"/api/v1/jobs/{job_id}", headers=person.headers).status_code == 204
    answer = person.post_job()
    problem = expect_refusal(answer, 429, name="jobs_per_month", used=1, wanted=1)
    assert problem["quota"]["frees_at"] == get_quota(person)["month_ends_at"]
    assert 0 < int(answer.headers["retry-after"]) <= 31 * 86_400


def test_a_month_begins_with_nothing_used(world: World, person: Person, admin: dict[str, str]) -> None:
    set_quotas(world, admin, "person", person.user_id, jobs_per_month=1)
    person.submit_job()
    with time_machine.travel(end_month()):
        later = Person(world, person.user_id, person.organization_id)
        assert get_quota(later)["person"]["jobs_per_month"] == {"used": 0, "most": 1}
        later.submit_job()
        assert later.post_job().status_code == 429


@pytest.mark.parametrize(
    ("now", "end"),
    [("2026-11-30T23:59:59", "2026-12-01"), ("2026-12-01T00:00:00", "2027-01-01"), ("2028-02-29", "2028-03-01")],
)
def test_a_month_ends_where_the_next_begins(now: str, end: str) -> None:
    with time_machine.travel(datetime.fromisoformat(now).replace(tzinfo=UTC)):
        assert end_month() == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_what_exceeds_a_quota_by_itself_is_forbidden(world: World, person: Person, admin: Any) -> None:
    set_quotas(world, admin, "person", person.user_id, input_bytes_per_month=1500)
    answer = person.post_job(input_file_ids=[str(person.add_file(size=1501))])
    expect_refusal(answer, 403, name="input_bytes_per_month", most=1500, used=0, wanted=1501, frees_at=None)
    assert person.post_job().status_code == 202
    expect_refusal(person.post_job(), 429, name="input_bytes_per_month", used=1000, wanted=1000)


def test_an_organisation_is_counted_as_a_whole(
    world: World, people: tuple[Person, Person], admin: dict[str, str]
) -> None:
    set_quotas(world, admin, "organization", people[0].organization_id, running_runs=1)
    people[0].submit_job()
    expect_refusal(people[1].post_job(), 429, subject="organization", used=1)
    assert world.new_person().post_job().status_code == 202


def test_of_jobs_at_once_only_so_many_pass_as_the_quota_has(
    world: World, people: tuple[Person, Person], admin: dict[str, str]
) -> None:
    set_quotas(world, admin, "organization", people[0].organization_id, running_runs=2)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda person: person.post_job(), people * 4))
    assert sorted(answer.status_code for answer in answers) == [202] * 2 + [429] * 6
    assert get_quota(people[0])["organization"]["jobs_per_month"] == {"used": 2, "most": None}


def test_a_retry_counts_as_running(world: World, person: Person, admin: dict[str, str]) -> None:
    job_id, run_id = person.submit_job()
    let_fail(world, run_id)
    set_quotas(world, admin, "person", person.user_id, running_runs=0, jobs_per_month=0)
    answer = world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers)
    expect_refusal(answer, 403, name="running_runs")
    assert person.get_run(job_id)["status"] == "failed"
    set_quotas(world, admin, "person", person.user_id, running_runs=1, jobs_per_month=0)
    assert world.client.post(f"/api/v1/jobs/{job_id}/retry", headers=person.headers).status_code == 202


def test_people_see_what_they_have_used_and_may(world: World, admin: dict[str, str]) -> None:
    free, usual = world.new_person(), world.new_person(tier="development")
    for person in (free, usual):
        person.submit_job()
    used = {"running_runs": 1, "jobs_per_month": 1, "input_bytes_per_month": 1000}
    tier = world.engine.settings.limit_tier("development")
    for person, most in ((free, dict.fromkeys(used)), (usual, tier.person.model_dump())):
        shown = get_quota(person)["person"]
        assert shown == {name: {"used": used[name], "most": most[name]} for name in used}
    assert get_quota(usual)["organization"]["running_runs"]["most"] == tier.organization.running_runs


def test_administrators_set_quotas_and_take_them_back(world: World, person: Person, admin: dict[str, str]) -> None:
    shown = set_quotas(world, admin, "person", person.user_id, running_runs=7)
    assert shown["limits"] == {"running_runs": 7, "jobs_per_month": None, "input_bytes_per_month": None}
    assert get_quota(person)["person"]["running_runs"] == {"used": 0, "most": 7}
    route = f"/api/v1/jobs/quotas/person/{person.user_id}"
    assert world.client.get(route, headers=admin).json() == shown
    assert world.client.delete(route, headers=admin).status_code == 204
    assert world.client.get(route, headers=admin).json()["limits"] is None
    assert get_quota(person)["person"]["running_runs"]["most"] is None
    for method in ("GET", "PUT", "DELETE"):
        body = {"json": {}} if method == "PUT" else {}
        assert world.client.request(method, route, headers=person.headers, **body).status_code == 403
    for bad in ({"running_runs": -1}, {"running_runs": "many"}, {"surprise": 1}):
        assert world.client.put(route, headers=admin, json=bad).status_code == 400
    assert world.client.get(f"/api/v1/jobs/quotas/planet/{uuid4()}", headers=admin).status_code == 400
