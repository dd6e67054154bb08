"""`Idempotency-Key`."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
import time_machine
from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.orm import Session

from microservices.kernel.app import create_app
from microservices.kernel.auth import PEOPLE, Principal
from microservices.kernel.db import Database
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.idempotency import IdempotencyKey, once_key, run_once
from microservices.kernel.settings import ServiceSettings
from microservices.kernel.testing import TokenAuthority, serve_app

KEY = {"Idempotency-Key": "key-1"}


class Order(BaseModel):
    name: str


class Receipt(BaseModel):
    number: int
    name: str


class Shop:
    """Writes orders down; can be made to refuse, to fail and to take its time."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.begun = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def take(self, session: Session, order: Order) -> Receipt:
        self.begun.set()
        number = session.execute(
            text("INSERT INTO orders (name) VALUES (:name) RETURNING number"), {"name": order.name}
        ).scalar_one()
        assert self.go_on.wait(60)
        if self.error:
            raise self.error
        return Receipt(number=number, name=order.name)


router = APIRouter()


@router.post("/orders")
@router.post("/other")
def take_order(
    order: Order, request: Request, caller: Annotated[Principal, Depends(PEOPLE)], key: IdempotencyKey = None
) -> JSONResponse:
    shop: Shop = request.app.state.shop
    once = once_key(caller, request.url.path, key, order)
    return run_once(request.app.state.database, once, 201, lambda session: shop.take(session, order))


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def http(settings: ServiceSettings, database: Database, shop: Shop, person: dict[str, str]) -> Iterator[httpx.Client]:
    with database.transaction() as session:
        session.execute(text("CREATE TABLE orders (number serial, name text)"))
    app = create_app("shop", settings, [router])
    app.state.shop = shop
    with serve_app(app) as url, httpx.Client(base_url=url, headers=person, timeout=30) as http:
        yield http


@pytest.fixture
def person(authority: TokenAuthority) -> dict[str, str]:
    return authority.person()


def post(http: httpx.Client, name: str = "tea", path: str = "/orders", **headers: str) -> httpx.Response:
    return http.post(path, json={"name": name}, headers=KEY | headers)


def count_orders(database: Database) -> int:
    with database.transaction() as session:
        return int(session.execute(text("SELECT count(*) FROM orders")).scalar_one())


def test_the_same_request_again_gives_the_first_answer_and_changes_nothing(
    http: httpx.Client, database: Database
) -> None:
    first, second = post(http), post(http)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert count_orders(database) == 1


def test_without_a_key_every_request_counts(http: httpx.Client, database: Database) -> None:
    for _ in range(2):
        assert http.post("/orders", json={"name": "tea"}).status_code == 201
    assert count_orders(database) == 2


def test_a_key_is_for_one_body(http: httpx.Client, database: Database) -> None:
    post(http, "tea")
    answer = post(http, "coffee")
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert count_orders(database) == 1


def test_a_key_is_for_one_caller_and_one_route(
    http: httpx.Client, database: Database, authority: TokenAuthority
) -> None:
    numbers = [post(http), post(http, path="/other"), post(http, **authority.person())]
    assert len({answer.json()["number"] for answer in numbers}) == 3


def test_while_the_first_is_at_work_the_second_is_told_so(http: httpx.Client, database: Database, shop: Shop) -> None:
    shop.go_on.clear()
    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(post, http)
        assert shop.begun.wait(60)
        second = post(http)
        shop.go_on.set()
        assert first.result().status_code == 201
    assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
    assert post(http).json() == first.result().json()
    assert count_orders(database) == 1


def test_of_a_slow_request_and_its_repetition_only_one_makes_the_change(
    http: httpx.Client, database: Database, shop: Shop
) -> None:
    shop.go_on.clear()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(post, http)
        assert shop.begun.wait(60)
        shop.begun.clear()
        with database.transaction() as session:
            session.execute(text("UPDATE idempotency_keys SET started_at = started_at - interval '2 minutes'"))
        second = threads.submit(post, http)
        assert shop.begun.wait(60)
        shop.go_on.set()
        assert sorted([first.result().status_code, second.result().status_code]) == [201, 409]
    assert count_orders(database) == 1
    assert post(http).status_code == 201


def test_of_many_at_once_one_is_carried_out(http: httpx.Client, database: Database) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: post(http), range(6)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["number"] for answer in answers if answer.status_code == 201}) == 1
    assert count_orders(database) == 1


@pytest.mark.parametrize("error", [InvalidInputError("No tea today."), RuntimeError("a bug")], ids=["refusal", "bug"])
def test_a_failure_leaves_no_trace_and_may_be_tried_again(
    http: httpx.Client, database: Database, shop: Shop, error: Exception
) -> None:
    shop.error = error
    assert post(http).status_code in (400, 500)
    assert count_orders(database) == 0
    shop.error = None
    assert post(http, "coffee").status_code == 201
    assert count_orders(database) == 1


def test_a_first_request_that_died_with_its_process_does_not_block_for_ever(
    http: httpx.Client, database: Database
) -> None:
    post(http)
    with database.transaction() as session:
        session.execute(text("UPDATE idempotency_keys SET status = NULL, body = NULL"))
        session.execute(text("DELETE FROM orders"))
    assert post(http).json()["code"] == "request_in_progress"
    with time_machine.travel(timedelta(seconds=61)):
        assert post(http).status_code == 201
    assert count_orders(database) == 1


def test_keys_are_forgotten_after_a_day(http: httpx.Client, database: Database, authority: TokenAuthority) -> None:
    user_id = uuid4()
    post(http, **authority.person(user_id=user_id))
    with time_machine.travel(timedelta(hours=25)):
        assert post(http, **authority.person(user_id=user_id)).json()["number"] == 2


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_1_to_200_characters(http: httpx.Client, key: str) -> None:
    headers: dict[str, Any] = {"Idempotency-Key": key}
    assert http.post("/orders", json={"name": "tea"}, headers=headers).status_code == 400
