"""A new kind of site is one file and its registration: `docs/how-to/add-a-backend.md`, followed to its end."""

import pytest
from fastapi import FastAPI, Request, Response

from microservices.backends.registry import ADAPTERS
from microservices.contracts.curation import API_TYPES
from microservices.job_processor.logic.collection import collect_results
from microservices.job_processor.logic.submission import submit_run
from microservices.kernel.testing import serve_app
from tests.job_processor.conftest import Person, World, poll
from tests.job_processor.toy_adapter import ToyBackend


def build_toy(jobs: list[dict[str, object]]) -> FastAPI:
    """A site that is done with whatever it is asked about a second time."""
    app = FastAPI()

    @app.post("/jobs")
    async def take(request: Request) -> dict[str, object]:
        form = await request.form()
        jobs.append({"id": str(len(jobs)), "name": form["name"], "done": False})
        return jobs[-1]

    @app.get("/jobs")
    def list_jobs() -> dict[str, object]:
        return {"jobs": jobs}

    @app.get("/jobs/{job_id}")
    def tell(job_id: int) -> dict[str, object]:
        told = dict(jobs[job_id])
        jobs[job_id]["done"] = True
        return told

    @app.get("/jobs/{job_id}/result")
    def give(job_id: int) -> Response:
        return Response(f"imputed {job_id}", media_type="application/octet-stream")

    return app


def test_a_run_goes_through_a_site_of_a_new_kind(world: World, person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ADAPTERS, "toy", ToyBackend)
    API_TYPES.append("toy")
    jobs: list[dict[str, object]] = []
    try:
        with serve_app(build_toy(jobs)) as address:
            world.peers.site = {"api_type": "toy", "base_url": address}
            job_id, run_id = person.submit_job()
            submit_run(world.engine, run_id)
            assert poll(world, run_id) == []
            assert poll(world, run_id) == [run_id]
            collect_results(world.engine, run_id)
    finally:
        API_TYPES.remove("toy")
    assert (person.get_run(job_id)["status"], len(jobs)) == ("completed", 1)
    assert list(world.peers.stored.values()) == [b"imputed 0"]


def test_every_kind_that_may_be_stored_has_its_adapter() -> None:
    assert sorted(ADAPTERS) == sorted(API_TYPES)
