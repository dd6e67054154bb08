"""The way that objects take when they are not files on this machine: obstore's own in-memory store, through HTTP."""

from uuid import uuid4

import httpx

from microservices.file_manager.main import build
from microservices.kernel.testing import serve_app
from tests.file_manager.world import GOOD_VCF, MIB, World, make_bytes, sha256_of


def test_files_live_in_another_store_as_they_do_on_disk(own_world: World) -> None:
    settings = own_world.settings.model_copy(update={"storage_url": "memory:///"})
    person = own_world.new_person()
    with serve_app(build(settings)) as address:
        own_world.client.base_url = httpx.URL(address)
        assert own_world.client.get("/health/ready").json()["dependencies"]["storage"]["status"] == "ok"
        checked = person.upload_checked(GOOD_VCF)
        assert checked["status"] == "ready"
        data = make_bytes(5 * MIB)
        file = person.upload(iter([data[:MIB], data[MIB:]])).json()
        assert file["sha256"] == sha256_of(data)
        part = person.get(f"/api/v1/files/{file['id']}/content", {"Range": f"bytes={MIB}-"})
        assert (part.status_code, part.content) == (206, data[MIB:])
        run = {"run_id": uuid4(), "job_id": uuid4()}
        results = [person.store_result(body, **run).json() for body in (b"old", b"new")]
        assert person.get(f"/api/v1/files/{results[0]['id']}/content").content == b"new"
        assert person.delete(file["id"]).status_code == 204
        assert person.get(f"/api/v1/files/{file['id']}/content").status_code == 404
        assert own_world.query("SELECT 1 FROM loose_objects") == []
    assert not own_world.storage.exists()
