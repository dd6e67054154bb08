"""From `uploaded` to `ready` or `rejected`, in the background."""

import os
from uuid import uuid4

from tests.file_manager.process import stop_checker
from tests.file_manager.world import GOOD_VCF, Person, World, wait_until


def test_a_good_vcf_becomes_ready_with_its_report(person: Person) -> None:
    file = person.upload_checked()
    assert file["status"] == "ready"
    quality = person.get(f"/api/v1/files/{file['id']}/qc").json()
    assert (quality["verdict"], quality["samples"], quality["variants"]) != ("fail", 0, 0)
    assert (quality["build"], quality["chromosomes"], quality["phased"]) == ("hg19", ["20"], False)
    assert (quality["samples"], quality["variants"], quality["has_chr_prefix"]) == (20, 3, False)


def test_what_is_no_vcf_is_rejected_with_the_reason(person: Person) -> None:
    file = person.upload_checked(b"PK\x03\x04 a zip of something", "cohort.zip")
    assert file["status"] == "rejected"
    quality = person.get(f"/api/v1/files/{file['id']}/qc").json()
    assert quality["verdict"] == "fail"
    assert [issue["code"] for issue in quality["issues"]] == ["not_vcf"]
    assert quality["issues"][0]["fix"]


def test_the_owner_is_told_of_the_verdict(world: World, person: Person) -> None:
    file = person.upload_checked(b"not a VCF")
    wait_until(lambda: world.peers.events)
    [event] = world.peers.events
    assert (event["type"], event["source"], event["subject"]) == ("file.checked", "file_manager", f"file/{file['id']}")
    assert event["data"] == {
        "file_id": file["id"],
        "organization_id": str(person.organization_id),
        "owner_id": str(person.user_id),
        "filename": "cohort.vcf.gz",
        "status": "rejected",
        "verdict": "fail",
    }


def test_the_quality_of_an_unchecked_file_is_not_told_yet(world: World, person: Person) -> None:
    file = person.upload().json()
    checker = stop_checker(os.getpid())
    try:
        assert person.get(f"/api/v1/files/{file['id']}").json()["status"] == "checking"
        answer = person.get(f"/api/v1/files/{file['id']}/qc")
        assert (answer.status_code, answer.json()["code"]) == (409, "file_not_ready")
        inner = world.client.get(f"/internal/files/{file['id']}/content", headers=world.authorize_service())
        assert (inner.status_code, inner.json()["code"]) == (409, "file_not_ready")
        (known,) = person.list_inputs(file["id"])
        assert (known["file"]["status"], known["quality"]) == ("checking", None)
    finally:
        checker.resume()
    assert person.wait_checked(file["id"])["status"] == "ready"
    inner = world.client.get(f"/internal/files/{file['id']}/content", headers=world.authorize_service())
    assert (inner.status_code, inner.content) == (200, GOOD_VCF)


def test_a_rejected_or_unknown_file_is_no_input(world: World, person: Person) -> None:
    file = person.upload_checked(b"no VCF")
    for file_id, expected in ((file["id"], (409, "file_rejected")), (uuid4(), (404, "file_not_found"))):
        answer = world.client.get(f"/internal/files/{file_id}/content", headers=world.authorize_service())
        assert (answer.status_code, answer.json()["code"]) == expected


def test_the_service_answers_while_a_check_is_at_work(world: World, person: Person) -> None:
    file = person.upload().json()
    checker = stop_checker(os.getpid())
    try:
        others = [person.upload().json()["id"] for _ in range(3)]
        assert person.get("/api/v1/files").json()["total"] == 4
    finally:
        checker.resume()
    assert {person.wait_checked(file_id)["status"] for file_id in (file["id"], *others)} == {"ready"}


def test_a_check_that_was_killed_is_done_again(person: Person) -> None:
    file = person.upload().json()
    stop_checker(os.getpid()).kill()
    assert person.wait_checked(file["id"])["status"] == "ready"


def test_what_can_never_be_checked_is_rejected_with_words(world: World, person: Person) -> None:
    person.upload()
    checker = stop_checker(os.getpid())
    file_id = person.upload().json()["id"]
    world.query("UPDATE uploaded_files SET check_attempts = 3 WHERE id = :id", id=file_id)
    checker.resume()
    wait_until(lambda: person.get(f"/api/v1/files/{file_id}").json()["status"] == "checking")
    stop_checker(os.getpid()).kill()
    assert person.wait_checked(file_id)["status"] == "rejected"
    quality = person.get(f"/api/v1/files/{file_id}/qc").json()
    assert (quality["verdict"], quality["issues"][0]["code"]) == ("fail", "check_failed")


def test_a_file_deleted_during_its_check_stays_deleted(world: World, person: Person) -> None:
    file = person.upload().json()
    checker = stop_checker(os.getpid())
    assert person.delete(file["id"]).status_code == 204
    checker.resume()
    assert person.upload_checked()["status"] == "ready"
    assert person.get(f"/api/v1/files/{file['id']}").status_code == 404
    assert file["id"] not in {event["data"]["file_id"] for event in world.peers.events}
