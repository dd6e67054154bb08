"""What becomes of the bytes that people send."""

from uuid import UUID

from tests.file_manager.world import MIB, Person, World, make_bytes, sha256_of


def test_an_upload_is_stored_whole_and_told_with_its_checksum(world: World, person: Person) -> None:
    data = make_bytes(3 * MIB + 17)
    answer = person.upload(data, "cohort chr20.vcf.gz", {"X-Content-SHA256": sha256_of(data).upper()})
    assert answer.status_code == 201
    file = answer.json()
    assert set(file) == {"id", "filename", "size", "sha256", "status", "created_at"}
    assert (file["filename"], file["size"], file["sha256"]) == ("cohort chr20.vcf.gz", len(data), sha256_of(data))
    assert file["status"] == "uploaded"
    assert file["created_at"].endswith("Z")
    [stored] = world.storage.iterdir()
    assert stored.read_bytes() == data
    assert UUID(stored.name)


def test_a_chunked_upload_needs_no_length(person: Person) -> None:
    parts = [make_bytes(100_000) for _ in range(20)]
    answer = person.upload(iter(parts))
    assert answer.status_code == 201
    assert answer.json()["sha256"] == sha256_of(b"".join(parts))
