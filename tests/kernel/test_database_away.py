"""A database that is away is the platform's trouble and passes: 503 with words, never a 500."""

import asyncio

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


async def ask_at_once(address: str, times: int) -> list[int]:
    limits = httpx.Limits(max_connections=times)
    async with httpx.AsyncClient(base_url=address, limits=limits, timeout=30, trust_env=False) as client:
        answers = await asyncio.gather(*(client.get("/rows") for _ in range(times)))
    return [answer.status_code for answer in answers]


def test_many_requests_at_once_never_wait_crosswise_for_threads_and_connections(settings: ServiceSettings) -> None:
    app = create_app("rows", settings.model_copy(update={"database_pool_size": 2}), [router])
    with serve_app(app) as address:
        assert asyncio.run(ask_at_once(address, 80)) == [200] * 80


def test_an_unreachable_database_is_a_503_that_says_to_try_again(settings: ServiceSettings) -> None:
    nowhere = SecretStr("postgresql+psycopg2://nobody:hunter2@127.0.0.1:1/nowhere")
    app = create_app("rows", settings.model_copy(update={"database_url": nowhere}), [router])
    with serve_app(app) as address:
        answer = httpx.get(f"{address}/rows")
    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert answer.headers["retry-after"]
    assert "hunter2" not in answer.text
