"""`GET|HEAD /api/v1/files/{id}/content`: whole, in parts, and not at all when the client has it."""

from typing import Any
from urllib.parse import unquote

import pytest

from tests.file_manager.world import MIB, Person, World, make_bytes, sha256_of, wait_until

DATA = bytes(range(256)) * 4
SIZE = len(DATA)


@pytest.fixture
def file(person: Person) -> dict[str, Any]:
    answer: dict[str, Any] = person.upload(DATA).json()
    return answer


def path_of(file: dict[str, Any]) -> str:
    return f"/api/v1/files/{file['id']}/content"


def test_the_whole_file_comes_back(person: Person) -> None:
    data = make_bytes(4 * MIB + 1)
    file = person.upload(data).json()
    answer = person.get(path_of(file))
    assert (answer.status_code, answer.content) == (200, data)
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["etag"] == f'"{sha256_of(data)}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=1000-", 1000, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=0-99999999", 0, SIZE),
        ("bytes=-1", SIZE - 1, SIZE),
        ("bytes=-99999999", 0, SIZE),
        ("BYTES=5-5", 5, 6),
    ],
)
def test_a_range_is_that_part(person: Person, file: dict[str, Any], asked: str, start: int, stop: int) -> None:
    answer = person.get(path_of(file), {"Range": asked})
    assert (answer.status_code, answer.content) == (206, DATA[start:stop])
    assert answer.headers["content-range"] == f"bytes {start}-{stop - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(stop - start)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE}-{SIZE + 5}", "bytes=-0", f"bytes={'9' * 18}-"])
def test_a_range_behind_the_end_is_refused(person: Person, file: dict[str, Any], asked: str) -> None:
    answer = person.get(path_of(file), {"Range": asked})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{SIZE}"


@pytest.mark.parametrize(
    "asked",
    ["bytes=", "bytes=-", "bytes=5-1", "bytes=0-1,5-6", "lines=0-1", "bytes=a-b", "bytes 0-1", f"bytes={'9' * 5000}-"],
)
def test_what_is_not_one_range_is_ignored(person: Person, file: dict[str, Any], asked: str) -> None:
    answer = person.get(path_of(file), {"Range": asked})
    assert (answer.status_code, answer.content) == (200, DATA)
    assert "content-range" not in answer.headers


def test_a_broken_download_is_resumed_only_if_the_file_is_the_same(person: Person, file: dict[str, Any]) -> None:
    etag = f'"{file["sha256"]}"'
    same = person.get(path_of(file), {"Range": "bytes=500-", "If-Range": etag})
    assert (same.status_code, same.content) == (206, DATA[500:])
    for other in ('"other"', f"W/{etag}", "Wed, 21 Oct 2026 07:28:00 GMT"):
        changed = person.get(path_of(file), {"Range": "bytes=500-", "If-Range": other})
        assert (changed.status_code, changed.content) == (200, DATA)


def test_a_client_that_has_the_bytes_is_not_sent_them(person: Person, file: dict[str, Any]) -> None:
    etag = f'"{file["sha256"]}"'
    for given in (etag, f"W/{etag}", f'"a", {etag}', "*"):
        answer = person.get(path_of(file), {"If-None-Match": given, "Range": "bytes=0-1"})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert person.get(path_of(file), {"If-None-Match": '"other"'}).status_code == 200


def test_head_tells_all_but_the_bytes(world: World, person: Person, file: dict[str, Any]) -> None:
    answer = world.client.head(path_of(file), headers=person.headers | {"Range": "bytes=0-1"})
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", str(SIZE))
    assert answer.headers["etag"] == f'"{file["sha256"]}"'


@pytest.mark.parametrize(
    "name", ["plain.vcf.gz", "Süd コホート.vcf.gz", 'a "b"; filename=evil.exe', "100%41.gz", "a'b;c"]
)
def test_the_name_reaches_the_client_unharmed(person: Person, name: str) -> None:
    header = person.get(path_of(person.upload(DATA, name).json())).headers["content-disposition"]
    kind, plain, extended = header.split("; ", 1)[0], *header.split("; ", 1)[1].rsplit("; ", 1)
    assert kind == "attachment"
    assert unquote(extended.removeprefix("filename*=UTF-8''")) == name
    assert plain.isascii()
    assert plain.startswith('filename="')
    assert '"' not in plain.removeprefix('filename="').removesuffix('"')


def test_readers_of_a_deleted_file_read_on(world: World, person: Person) -> None:
    data = make_bytes(5 * MIB)
    file = person.upload(data).json()
    with world.client.stream("GET", path_of(file), headers=person.headers) as answer:
        pieces = answer.iter_bytes(1000)
        first = next(pieces)
        assert person.delete(file["id"]).status_code == 204
        assert first + b"".join(pieces) == data


def test_bytes_that_the_storage_lost_are_said_to_be_missing(world: World, person: Person) -> None:
    file = person.upload_checked(DATA)
    for path in world.storage.iterdir():
        path.unlink()
    answer = person.get(path_of(file))
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")


def test_a_client_that_leaves_in_the_middle_does_no_harm(world: World, person: Person) -> None:
    file = person.upload(make_bytes(5 * MIB)).json()
    with world.client.stream("GET", path_of(file), headers=person.headers) as answer:
        next(answer.iter_bytes(10))
    wait_until(lambda: world.client.get("/health").is_success)
    assert len(person.get(path_of(file)).content) == 5 * MIB
