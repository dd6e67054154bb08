"""The platform's account at an object store is the worker's setting; nothing of it comes from a site."""

from pathlib import Path

import pytest
from fastapi import FastAPI, Request, Response
from pydantic import ValidationError

from microservices.backends.base import BucketAccess, SiteFile
from microservices.job_processor.logic.engine import start_engine
from microservices.job_processor.logic.sites import Account
from microservices.job_processor.settings import Settings
from microservices.kernel.testing import serve_app
from tests.job_processor.conftest import World


def build_store(key_id: str) -> FastAPI:
    app = FastAPI()

    @app.get("/results/x.dose.vcf.gz")
    def give(request: Request) -> Response:
        is_known = request.query_params["X-Amz-Credential"].startswith(f"{key_id}/")
        return Response(b"genotypes", 200 if is_known else 403)

    return app


def test_a_worker_fetches_from_a_bucket_with_the_account_that_it_was_given(world: World, tmp_path: Path) -> None:
    config = {"allow_private_network": True, "output_root": "s3://results"}
    world.peers.site = {"api_type": "ga4gh", "api_config": config}
    with serve_app(build_store("platform")) as address:
        access = BucketAccess("platform", "secret", address)
        engine = start_engine(world.engine.settings.model_copy(update={"bucket_access": access}))
        record = engine.sites.get_record(world.peers.service_id)
        backend = engine.loop.run(engine.sites.open(record, Account("none")))
        place = "s3://results/x.dose.vcf.gz"
        engine.loop.run(backend.fetch(SiteFile("x.dose.vcf.gz", "imputed_data", place), tmp_path / "f"))
        engine.loop.run(engine.sites.close())
    engine.peers.close()
    engine.database.dispose()
    assert (tmp_path / "f").read_bytes() == b"genotypes"


@pytest.mark.parametrize(
    "text",
    [
        '{"secret_access_key": "pa55+key"}',
        '{"access_key_id": 5, "secret_access_key": "pa55+key"}',
        '{"access_key_id": "a", "secret_access_key": "pa55+key", "regio": "af-south-1"}',
    ],
)
def test_an_account_with_a_mistake_is_refused_at_the_start_without_showing_its_key(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("JOB_PROCESSOR_BUCKET_ACCESS", text)
    with pytest.raises(ValidationError, match=r"bucket_access\.(access_key_id|regio)") as refused:
        Settings()
    assert "pa55" not in str(refused.value)
