"""From `uploaded` to `ready` or `rejected`, in the background."""

from tests.file_manager.world import Person, World, wait_until


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
