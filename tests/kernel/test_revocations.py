"""What a verifier knows of log-ins that were ended, and what becomes of it when Redis is away."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
import redis
from fastapi import APIRouter, Depends
from pydantic import SecretStr

from imputehub.local.valkey import run_valkey
from microservices.kernel.app import create_app
from microservices.kernel.auth import PEOPLE, TokenVerifier
from microservices.kernel.revocations import RevokedSessions, following, publish_revocations
from microservices.kernel.settings import ServiceSettings
from microservices.kernel.testing import TokenAuthority, serve_app
from tests.waiting import wait_until

router = APIRouter(dependencies=[Depends(PEOPLE)])


@router.get("/mine")
def show_mine() -> str:
    return "mine"


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
        yield client


def soon() -> float:
    return time.time() + 600


def test_a_service_refuses_a_token_it_has_taken_before(
    settings: ServiceSettings, redis_url: str, client: redis.Redis, authority: TokenAuthority
) -> None:
    app = create_app("sample", settings.model_copy(update={"redis_url": SecretStr(redis_url)}), [router])
    session_id = str(uuid4())
    claims = {"sub": str(uuid4()), "org": str(uuid4()), "roles": ["researcher"], "sid": session_id}
    headers = {"Authorization": f"Bearer {authority.sign(claims)}"}
    with serve_app(app) as url, httpx.Client(base_url=url, headers=headers) as http:
        assert http.get("/mine").status_code == 200
        publish_revocations(client, {session_id: soon()})
        wait_until(lambda: http.get("/mine").status_code == 401)
        assert http.get("/mine", headers=authority.person()).status_code == 200


def test_what_was_heard_holds_while_redis_is_away_and_when_it_comes_back_empty(tmp_path: Path) -> None:
    revoked = RevokedSessions()
    with run_valkey(tmp_path / "valkey") as url, redis.Redis.from_url(url) as client, following(revoked, url):
        publish_revocations(client, {"a": soon()})
        wait_until(lambda: "a" in revoked)
        client.flushdb()
        publish_revocations(client, {"b": soon()})
        wait_until(lambda: "b" in revoked)
        assert "a" in revoked
    with following(revoked, url):
        assert "a" in revoked
    assert len(revoked) == 2


def test_only_what_is_missing_is_written(client: redis.Redis) -> None:
    assert publish_revocations(client, {"a": soon()}) is True
    assert publish_revocations(client, {"a": soon()}) is False
    assert publish_revocations(client, {"a": soon(), "b": soon()}) is True
    assert publish_revocations(client, {}) is False


def test_log_ins_whose_tokens_have_ended_are_forgotten_on_both_sides(client: redis.Redis) -> None:
    revoked = RevokedSessions()
    revoked.add({"old": time.time() + 0.05})
    publish_revocations(client, {"old": time.time() + 0.05})
    wait_until(
        lambda: publish_revocations(client, {uuid4().hex: soon()}) and client.zscore("revoked_sessions", "old") is None
    )
    revoked.read(client)
    assert "old" not in revoked


def test_listeners_are_told_each_log_in_once(client: redis.Redis) -> None:
    revoked = RevokedSessions()
    told: list[frozenset[str]] = []
    revoked.listen(told.append)
    publish_revocations(client, {"a": soon()})
    revoked.read(client)
    revoked.read(client)
    publish_revocations(client, {"b": soon()})
    revoked.read(client)
    assert told == [{"a"}, {"b"}]


def test_the_memory_of_a_verifier_is_looked_at_before_the_revocation_of_its_log_in(authority: TokenAuthority) -> None:
    """A recalled token costs no cryptography, and is refused all the same."""
    verifier = TokenVerifier("")
    verifier.load_keys = lambda: [authority.jwk]  # type: ignore[method-assign]
    token = authority.sign({"sub": str(uuid4()), "sid": "s"})
    verifier.verify(token)
    assert verifier.recall(token) is not None
    verifier.revoked.add({"s": soon()})
    assert verifier.recall(token) is None


def test_an_absent_redis_holds_up_neither_start_nor_end() -> None:
    others = threading.enumerate()
    with following(RevokedSessions(), "redis://127.0.0.1:1/0"):
        (thread,) = [one for one in threading.enumerate() if one not in others]
    assert not thread.is_alive()
