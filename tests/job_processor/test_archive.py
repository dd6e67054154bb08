"""Who may download all results of a job, and by what."""

import time
from uuid import uuid4

import httpx
import pytest
from cryptography.fernet import Fernet

from microservices.job_processor.errors import TicketExpiredError, TicketInvalidError
from microservices.job_processor.tickets import make_ticket, read_ticket
from microservices.kernel.auth import Principal
from microservices.kernel.crypto import FieldCipher
from tests.job_processor.conftest import Person, World, bring_to_site
from tests.job_processor.test_summary import complete_run


def test_a_browser_downloads_the_zip_by_a_link_that_is_good_for_this_job_only(world: World, person: Person) -> None:
    job_id, _run_id = complete_run(world, person, {"chr20.dose.txt": b"x"})
    other, _ = complete_run(world, person, {"chr20.dose.txt": b"y"})
    path = f"/api/v1/jobs/{job_id}/results/archive"
    link = world.client.post(f"{path}-link", headers=person.headers).json()["url"]
    assert world.client.get(path).status_code == 401
    query = link.partition("?")[2]
    assert world.client.get(f"{path}?{query}").content == b"a zip"
    for changed in (f"/api/v1/jobs/{other}/results/archive?{query}", f"{path}?{query[:-9]}", f"{path}?ticket="):
        assert world.client.get(changed).json()["code"] == "link_invalid"
    stranger = world.client.post(f"{path}-link", headers=world.new_person().headers)
    assert stranger.json()["code"] == "job_not_found"


def test_a_link_to_an_archive_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    cipher, job_id = FieldCipher([Fernet.generate_key().decode()]), uuid4()
    caller = Principal("x", "", 0, user_id=uuid4(), organization_id=uuid4())
    ticket, expires_at = make_ticket(cipher, caller, job_id)
    assert read_ticket(cipher, ticket, str(job_id)).person == caller.person
    with pytest.raises(TicketInvalidError):  # another secret of ours that says the same is none
        read_ticket(cipher, cipher.encrypt(cipher.decrypt(ticket).replace("archive", "other", 1)), str(job_id))
    monkeypatch.setattr(time, "time", expires_at.timestamp)
    with pytest.raises(TicketExpiredError):
        read_ticket(cipher, ticket, str(job_id))


def get_archive(world: World, person: Person, job_id: str) -> httpx.Response:
    return world.client.get(f"/api/v1/jobs/{job_id}/results/archive", headers=person.headers)


def test_all_results_of_a_job_can_be_had_as_one_zip(world: World, person: Person) -> None:
    job_id, run_id = complete_run(world, person, {"chr20.dose.txt": b"x"}, name="Kohorte ä, chr 20")
    answer = get_archive(world, person, job_id)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"a zip", "application/zip")
    assert answer.headers["content-disposition"] == f'attachment; filename="Kohorte_chr_20_{job_id}.zip"'
    runs = [{"folder": "1_panel_1.0.0", "run_id": str(run_id)}]
    assert world.peers.archives == [{"job_id": job_id, "runs": runs}]
    world.peers.file_manager_down = True
    assert get_archive(world, person, job_id).status_code == 503


def test_nobody_has_an_archive_of_nothing_or_of_somebody_elses_job(world: World, person: Person) -> None:
    job_id, _run_id = bring_to_site(world, person)
    answer = get_archive(world, person, job_id)
    assert (answer.status_code, answer.json()["code"]) == (404, "results_not_found")
    assert get_archive(world, world.new_person(), job_id).json()["code"] == "job_not_found"
    assert world.peers.archives == []
