"""Jobs are sent as they were read, unchecked: what is sent must be what the schemas say, to the byte."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from microservices.job_processor.models import Run
from microservices.job_processor.schemas import JobView
from microservices.kernel.pagination import Page
from tests.job_processor.conftest import Person, SecondSite, World, bring_to_site
from tests.job_processor.test_estimates import add_completed


@pytest.fixture
def jobs(world: World, person: Person, second: SecondSite) -> list[str]:
    """One that waits and has an alternate, one at its site with an estimate, one that failed, one with two inputs."""
    target = person.describe_targets()[0] | {"alternates": [second.describe_choice()]}
    waiting = person.submit_job(targets=[target], residency={"countries": ["ZA", "KE"]}, name="Zoë's “cohort” <1>")
    add_completed(world)
    running = bring_to_site(world, person)
    failed = bring_to_site(world, person)
    with world.engine.database.transaction() as session:
        row = session.get_one(Run, failed[1])
        row.status, row.finished_at = "failed", row.created_at.replace(microsecond=0)
        row.error = {"code": "x", "message": "m", "whose": "site", "fix": "f"}
    files = [str(person.add_file(filename=f"chr{n}.vcf.gz", chromosomes=[f"chr{n}"])) for n in (3, 1)]
    both = person.submit_job(input_file_ids=files, targets=person.describe_targets())
    return [job for job, _run in (waiting, running, failed, both)]


def test_a_job_is_sent_as_its_schema_writes_it(world: World, person: Person, jobs: list[str]) -> None:
    for job_id in jobs:
        sent = world.client.get(f"/api/v1/jobs/{job_id}", headers=person.headers)
        assert sent.headers["content-type"] == "application/json"
        assert JobView.model_validate_json(sent.content).model_dump_json().encode() == sent.content


def test_a_list_is_sent_as_its_schema_writes_it(world: World, person: Person, jobs: list[str]) -> None:
    sent = world.client.get("/api/v1/jobs?limit=3", headers=person.headers)
    page = Page[JobView].model_validate_json(sent.content)
    assert page.model_dump_json().encode() == sent.content
    assert ([str(job.id) for job in page.items], page.total) == (jobs[:0:-1], 4)
    alone = world.client.get(f"/api/v1/jobs/{jobs[1]}", headers=person.headers)
    assert page.items[2] == JobView.model_validate_json(alone.content)


def test_the_fields_tell_what_is_stored(world: World, person: Person, second: SecondSite, jobs: list[str]) -> None:
    waiting, running, failed, both = (person.get_job(job_id) for job_id in jobs)
    assert waiting["runs"][0]["alternates"] == [second.describe_choice()]
    assert running["runs"][0]["estimated_finish_at"] is not None
    assert (running["runs"][0]["attempts"], waiting["runs"][0]["attempts"]) == (1, 0)
    assert (failed["runs"][0]["error"]["code"], failed["progress"]) == ("x", 100)
    assert [run["panel_id"] for run in both["runs"]] == [choice["panel_id"] for choice in person.describe_targets()]
    assert len(both["input_file_ids"]) == 2


@pytest.mark.parametrize("words", ["100%", "a_b", "a/b", "a'b"])
def test_nothing_in_the_words_that_a_name_is_searched_for_has_a_meaning(
    world: World, person: Person, words: str
) -> None:
    for name in (f"x {words} y", "100 of a b", "aab"):
        person.submit_job(name=name)
    found = world.client.get("/api/v1/jobs", params={"q": words.upper()}, headers=person.headers).json()
    assert [job["name"] for job in found["items"]] == [f"x {words} y"]


def test_a_page_past_the_end_still_tells_how_many_there_are(world: World, person: Person) -> None:
    first, _run = person.submit_job()
    person.submit_job()
    page = world.client.get("/api/v1/jobs?limit=1", headers=person.headers).json()
    world.client.post(f"/api/v1/jobs/{first}/cancel", headers=person.headers)
    assert world.client.delete(f"/api/v1/jobs/{first}", headers=person.headers).status_code == 204
    rest = world.client.get(f"/api/v1/jobs?limit=1&cursor={page['next_cursor']}", headers=person.headers).json()
    assert rest == {"items": [], "next_cursor": None, "total": 1}


def test_nobody_else_reads_a_job(world: World, person: Person) -> None:
    job_id, _run = person.submit_job()
    colleague = world.new_person(organization_id=person.organization_id)
    elsewhere = world.new_person(user_id=person.user_id)
    for other in (colleague, elsewhere):
        assert world.client.get(f"/api/v1/jobs/{job_id}", headers=other.headers).status_code == 404
        assert world.client.get("/api/v1/jobs", headers=other.headers).json()["total"] == 0


def test_whose_token_is_not_known_yet_is_answered_the_same(world: World, person: Person, jobs: list[str]) -> None:
    """By the route; whoever has asked before is answered without it."""
    for path in ("/api/v1/jobs", "/api/v1/jobs?limit=2&sort=name&status=queued", f"/api/v1/jobs/{jobs[1]}"):
        stranger = world.authority.person(user_id=person.user_id, organization_id=person.organization_id)
        first, second = (world.client.get(path, headers=stranger) for _ in range(2))
        assert first.status_code == 200
        assert (first.content, first.headers["content-type"]) == (second.content, second.headers["content-type"])


def test_many_who_read_at_once_are_each_given_their_own(world: World) -> None:
    people = [world.new_person() for _ in range(8)]
    for number, one in enumerate(people):
        one.submit_job(name=f"of person {number}")

    def read(number: int) -> tuple[int, list[str]]:
        query = "?cursor=forged" if number % 5 == 4 else ""
        answer = world.client.get(f"/api/v1/jobs{query}", headers=people[number % 8].headers)
        return answer.status_code, [job["name"] for job in answer.json().get("items", [])]

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(read, range(80)))
    expected = [(400, []) if number % 5 == 4 else (200, [f"of person {number % 8}"]) for number in range(80)]
    assert answers == expected


def test_a_service_reads_nobody_s_jobs(world: World, person: Person) -> None:
    job_id, _run = person.submit_job()
    service = world.authority.service("file_manager")
    for _ in range(2):
        assert world.client.get(f"/api/v1/jobs/{job_id}", headers=service).status_code == 403
