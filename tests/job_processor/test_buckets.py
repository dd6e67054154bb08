"""The platform's account at an object store is the worker's setting; nothing of it comes from a site."""

from pathlib import Path

from fastapi import FastAPI, Request, Response

from microservices.backends.base import BucketAccess, SiteFile
from microservices.job_processor.logic.engine import start_engine
from microservices.job_processor.logic.sites import Account
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
