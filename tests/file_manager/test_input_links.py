"""Links with which a site fetches a run's input by itself: good until the run ends, and for nothing else."""

import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest

from microservices.file_manager.logic.input_links import forget_expired_links
from microservices.file_manager.main import build
from microservices.kernel.testing import serve_app
from tests.file_manager.world import GOOD_VCF, Person, World

WEEK_S = 7 * 24 * 3600


@pytest.fixture
def file(person: Person) -> dict[str, Any]:
    return person.upload_checked()


def ask_for_links(world: World, run_id: UUID, *file_ids: str, attempt: int = 1, scope: str = "files:read") -> Any:
    wish = {"run_id": str(run_id), "attempt": attempt, "file_ids": file_ids}
    headers = world.authority.service("job_processor", scope=scope)
    return world.client.post("/internal/input-links", json=wish, headers=headers)


def create_link(world: World, run_id: UUID, file: dict[str, Any], attempt: int = 1) -> str:
    answer = ask_for_links(world, run_id, file["id"], attempt=attempt)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["items"][0]["url"]
    return url


def open_link(world: World, url: str, method: str = "GET", **changes: str) -> httpx.Response:
    parts = urlsplit(url)
    query = urlencode(dict(parse_qsl(parts.query)) | changes)
    return world.client.request(method, f"{parts.path}?{query}")


def end_run(world: World, run_id: UUID, attempt: int = 1, **changes: Any) -> httpx.Response:
    event = {
        "id": str(uuid4()),
        "source": "job_processor",
        "type": "run.ended",
        "subject": f"run/{run_id}",
        "time": "2026-11-22T12:00:00Z",
        "dataversion": 1,
        "data": {"run_id": str(run_id), "attempt": attempt},
    }
    return world.client.post("/internal/events", json=event | changes, headers=world.authorize_service())


def test_a_site_fetches_with_it_for_seven_days_and_needs_no_header(world: World, file: dict[str, Any]) -> None:
    url = create_link(world, uuid4(), file)
    assert url.startswith("http://127.0.0.1:8000/api/v1/files/")
    assert open_link(world, url).content == GOOD_VCF
    assert open_link(world, url, "HEAD").headers["content-length"] == str(len(GOOD_VCF))
    query = dict(parse_qsl(urlsplit(url).query))
    assert WEEK_S - 60 <= int(query["expires"]) - time.time() <= WEEK_S


def test_it_ends_with_its_run_and_no_other_runs_link_does(world: World, file: dict[str, Any]) -> None:
    run_id, other = uuid4(), uuid4()
    links = {number: create_link(world, run_id, file, number) for number in (1, 2, 3)}
    foreign = create_link(world, other, file)
    for _ in range(2):  # told twice, it ends once
        assert end_run(world, run_id, attempt=2).status_code == 204
    answers = [open_link(world, links[number]) for number in (1, 2, 3)]
    assert [answer.status_code for answer in answers] == [403, 403, 200]
    assert answers[0].json()["code"] == "link_revoked"
    assert open_link(world, foreign).status_code == 200


def test_who_asks_after_the_runs_end_gets_none_but_a_retry_does(world: World, file: dict[str, Any]) -> None:
    run_id = uuid4()
    end_run(world, run_id, attempt=2)
    late = ask_for_links(world, run_id, file["id"], attempt=2)
    assert (late.status_code, late.json()["code"]) == (409, "run_ended")
    assert world.query("SELECT count(*) FROM input_links")[0][0] == 0
    assert open_link(world, create_link(world, run_id, file, attempt=3)).status_code == 200


def test_it_stays_withdrawn_after_a_restart(world: World, file: dict[str, Any]) -> None:
    run_id = uuid4()
    url = create_link(world, run_id, file)
    end_run(world, run_id)
    parts = urlsplit(url)
    with serve_app(build(world.settings)) as address:
        assert httpx.get(f"{address}{parts.path}?{parts.query}").json()["code"] == "link_revoked"


@pytest.mark.parametrize("change", [{"link": str(uuid4())}, {"link": ""}, {"link": "x"}])
def test_it_cannot_be_turned_into_a_link_that_does_not_end(
    world: World, file: dict[str, Any], change: dict[str, str]
) -> None:
    answer = open_link(world, create_link(world, uuid4(), file), **change)
    assert (answer.status_code, answer.json()["code"]) == (403, "link_invalid")


def test_it_leads_nowhere_once_its_file_is_deleted(world: World, person: Person, file: dict[str, Any]) -> None:
    url = create_link(world, uuid4(), file)
    assert person.delete(file["id"]).status_code == 204
    assert open_link(world, url).status_code == 403
    assert world.query("SELECT count(*) FROM input_links")[0][0] == 0


def test_only_checked_uploads_have_one(world: World, person: Person) -> None:
    rejected = person.upload_checked(b"not a VCF", "bad.vcf.gz")
    assert ask_for_links(world, uuid4(), rejected["id"]).json()["code"] == "file_rejected"
    assert ask_for_links(world, uuid4(), str(uuid4())).status_code == 404
    assert world.query("SELECT count(*) FROM input_links")[0][0] == 0


def test_only_services_may_ask_and_tell(world: World, person: Person, file: dict[str, Any]) -> None:
    assert ask_for_links(world, uuid4(), file["id"], scope="files:write").status_code == 403
    wish = {"run_id": str(uuid4()), "attempt": 1, "file_ids": [file["id"]]}
    assert world.client.post("/internal/input-links", json=wish, headers=person.headers).status_code == 403
    assert world.client.post("/internal/events", json={}, headers=person.headers).status_code == 403


@pytest.mark.parametrize("data", [{}, {"run_id": "x", "attempt": 1}, {"run_id": str(uuid4()), "attempt": 0}])
def test_an_end_that_is_not_as_agreed_is_refused(world: World, data: dict[str, Any]) -> None:
    assert end_run(world, uuid4(), data=data).status_code == 400


def test_links_that_have_expired_are_forgotten(world: World, file: dict[str, Any]) -> None:
    old, new = create_link(world, uuid4(), file), create_link(world, uuid4(), file)
    link_id = dict(parse_qsl(urlsplit(old).query))["link"]
    world.query("UPDATE input_links SET expires_at = now() WHERE id = :id", id=link_id)
    forget_expired_links(build(world.settings).state.database)
    assert open_link(world, new).status_code == 200
    assert world.query("SELECT count(*) FROM input_links")[0][0] == 1
