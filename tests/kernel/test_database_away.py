"""A database that is away is the platform's trouble and passes: 503 with words, never a 500."""

import httpx
from fastapi import APIRouter, Depends
from pydantic import SecretStr
from sqlalchemy import text

from microservices.kernel.app import create_app
from microservices.kernel.auth import ANYONE
from microservices.kernel.db import SessionDep
from microservices.kernel.settings import ServiceSettings
from microservices.kernel.testing import serve_app

router = APIRouter(dependencies=[Depends(ANYONE)])


@router.get("/rows")
def read_rows(session: SessionDep) -> int:
    return int(session.scalar(text("SELECT 1")) or 0)


def test_an_unreachable_database_is_a_503_that_says_to_try_again(settings: ServiceSettings) -> None:
    nowhere = SecretStr("postgresql+psycopg2://nobody:hunter2@127.0.0.1:1/nowhere")
    app = create_app("rows", settings.model_copy(update={"database_url": nowhere}), [router])
    with serve_app(app) as address:
        answer = httpx.get(f"{address}/rows")
    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert answer.headers["retry-after"]
    assert "hunter2" not in answer.text
