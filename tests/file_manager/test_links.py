"""Signed download links: good for one file until a moment, without a header, and for nothing else."""

import base64
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest

from microservices.file_manager.errors import LinkInvalidError
from microservices.file_manager.logic.links import LinkSigner
from tests.file_manager.world import GOOD_VCF, Person, World


@pytest.fixture
def file(person: Person) -> dict[str, Any]:
    answer: dict[str, Any] = person.upload().json()
    return answer


def create_link(person: Person, file: dict[str, Any]) -> str:
    answer = person.world.client.post(f"/api/v1/files/{file['id']}/download-url", headers=person.headers)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"url", "expires_at"}
    url: str = answer.json()["url"]
    return url


def open_link(world: World, url: str, method: str = "GET", **headers: str) -> httpx.Response:
    """As the gateway at the public address would pass it on."""
    parts = urlsplit(url)
    return world.client.request(method, f"{parts.path}?{parts.query}", headers=headers)


def change_link(url: str, **changes: str) -> str:
    """The link with other values in its query; None is left out."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query)) | changes
    return f"{parts.path}?{urlencode({name: value for name, value in query.items() if value != ''})}"


def test_a_link_needs_no_header(world: World, person: Person, file: dict[str, Any]) -> None:
    url = create_link(person, file)
    assert url.startswith("http://127.0.0.1:8000/api/v1/files/")
    assert open_link(world, url).content == GOOD_VCF
    assert open_link(world, url, Range="bytes=1-2").content == GOOD_VCF[1:3]
    assert open_link(world, url, "HEAD").headers["content-length"] == str(len(GOOD_VCF))


def test_a_link_says_when_it_ends(person: Person, file: dict[str, Any]) -> None:
    answer = person.world.client.post(f"/api/v1/files/{file['id']}/download-url", headers=person.headers).json()
    assert answer["expires_at"].endswith("Z")
    query = dict(parse_qsl(urlsplit(answer["url"]).query))
    assert 840 <= int(query["expires"]) - time.time() <= 900


@pytest.mark.parametrize(
    "changes",
    [
        {"expires": str(2**40)},
        {"expires": ""},
        {"expires": "soon"},
        {"expires": "9" * 5000},
        {"key": "k2"},
        {"key": ""},
        {"signature": "A" * 43},
        {"signature": "é"},
    ],
)
def test_a_changed_link_is_refused(world: World, person: Person, file: dict[str, Any], changes: dict[str, str]) -> None:
    answer = open_link(world, change_link(create_link(person, file), **changes))
    assert (answer.status_code, answer.json()["code"]) == (403, "link_invalid")


def test_every_part_of_the_signature_counts(world: World, person: Person, file: dict[str, Any]) -> None:
    url = create_link(person, file)
    query = dict(parse_qsl(urlsplit(url).query))
    signature, expires = query["signature"], query["expires"]
    wrong = [
        {"signature": ("B" if signature[0] == "A" else "A") + signature[1:]},
        {"signature": signature[:-1]},
        {"signature": signature + "="},
        {"expires": str(int(expires) + 1)},
        {"expires": f"0{expires}"},
        {"expires": f" {expires}"},
    ]
    assert [open_link(world, change_link(url, **change)).status_code for change in wrong] == [403] * len(wrong)


def test_a_link_is_for_its_file_only(world: World, person: Person, file: dict[str, Any]) -> None:
    other = person.upload(b"other").json()
    url = create_link(person, file).replace(file["id"], other["id"])
    answer = open_link(world, url)
    assert (answer.status_code, answer.json()["code"]) == (403, "link_invalid")
    assert open_link(world, url.replace(other["id"], "not-an-id")).status_code == 400


def test_a_link_opens_no_other_route(world: World, person: Person, file: dict[str, Any]) -> None:
    query = urlsplit(create_link(person, file)).query
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/qc"), ("POST", "/download-url")):
        assert world.client.request(method, f"/api/v1/files/{file['id']}{path}?{query}").status_code == 401
    assert world.client.get(f"/internal/files/{file['id']}/content?{query}").status_code == 401


def test_an_old_link_is_refused(world: World, person: Person, file: dict[str, Any]) -> None:
    signer = LinkSigner(world.settings.url_signing_keys.get_secret_value(), world.settings.public_url)
    assert open_link(world, signer.sign(file["id"], 5).url).status_code == 200
    answer = open_link(world, signer.sign(file["id"], 0).url)
    assert (answer.status_code, answer.json()["code"]) == (403, "link_expired")


def test_a_link_to_a_deleted_file_leads_nowhere(world: World, person: Person, file: dict[str, Any]) -> None:
    url = create_link(person, file)
    assert person.delete(file["id"]).status_code == 204
    assert open_link(world, url).status_code == 404


def test_keys_rotate(world: World, person: Person, file: dict[str, Any]) -> None:
    old, new = (f"{name}:{base64.b64encode(name.encode() * 16).decode()}" for name in ("k1", "k2"))
    link = LinkSigner(old, "http://x").sign(file["id"], 60)
    query = dict(parse_qsl(urlsplit(link.url).query))
    LinkSigner(f"{new},{old}", "http://x").verify(file["id"], query)
    with pytest.raises(LinkInvalidError):
        LinkSigner(new, "http://x").verify(file["id"], query)


@pytest.mark.parametrize("setting", ["", "k1", "k1:", "k1:c2hvcnQ=", ":" + "A" * 44, "k1:*" + "A" * 43])
def test_a_key_that_protects_nothing_is_refused_at_start(setting: str) -> None:
    with pytest.raises(ValueError, match="key"):
        LinkSigner(setting, "http://x")
