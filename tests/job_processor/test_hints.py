"""A worker is told of new work at once; its sweep of every 5 s is only for what was not told."""

from collections.abc import Iterator

import httpx
import pytest
import redis
from pydantic import SecretStr

from microservices.job_processor.main import build
from microservices.job_processor.tasks import ROUTES, SWEEP_TASK
from microservices.kernel.testing import serve_app
from tests.job_processor.conftest import Person, World
from tests.waiting import wait_until

_DATABASE = 7  # no other test sends messages there


@pytest.fixture
def broker(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(f"{redis_url.rsplit('/', 1)[0]}/{_DATABASE}") as client:
        client.flushdb()
        yield client


@pytest.fixture
def server(world: World, redis_url: str) -> Iterator[str]:
    broker_url = SecretStr(f"{redis_url.rsplit('/', 1)[0]}/{_DATABASE}")
    with serve_app(build(world.engine.settings.model_copy(update={"broker_url": broker_url}))) as address:
        yield address


def take_hint(broker: redis.Redis) -> bool:
    message = broker.rpop(ROUTES[SWEEP_TASK]["queue"])
    return isinstance(message, bytes) and SWEEP_TASK.encode() in message


def post_job(server: str, person: Person) -> bool:
    answer = httpx.post(f"{server}/api/v1/jobs", json=person.describe_job(), headers=person.headers)
    return answer.status_code == 202


def count_refused(broker: redis.Redis) -> int:
    told = broker.info("commandstats").get("cmdstat_lpush", {})
    return int(told.get("failed_calls", 0))


def test_a_worker_is_told_of_each_new_job_also_after_the_broker_refused_to(
    server: str, broker: redis.Redis, person: Person
) -> None:
    for _ in range(2):
        assert post_job(server, person)
        wait_until(lambda: take_hint(broker), "a worker is told")
    refused = count_refused(broker)
    broker.set(ROUTES[SWEEP_TASK]["queue"], "no queue")
    assert post_job(server, person)
    wait_until(lambda: count_refused(broker) > refused, "a message is refused")
    broker.delete(ROUTES[SWEEP_TASK]["queue"])
    assert post_job(server, person)
    wait_until(lambda: take_hint(broker), "a worker is told again")
