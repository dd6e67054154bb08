"""Lists."""

import base64
import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import BigInteger, DateTime, delete, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from microservices.kernel.db import Database, new_metadata
from microservices.kernel.errors import InvalidInputError
from microservices.kernel.pagination import ListQuery, Page, paginate

DAY = datetime(2026, 1, 1, tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = new_metadata()


class Thing(Base):
    __tablename__ = "things"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


@pytest.fixture(scope="module")
def things(postgresql: Any) -> Iterator[Database]:
    database = Database(postgresql.create_database("things"))
    Base.metadata.create_all(database.engine)
    yield database
    database.dispose()


@pytest.fixture
def session(things: Database) -> Iterator[Session]:
    with things.transaction() as session:
        session.execute(delete(Thing))
        # Several share each time and size, so that the key has to decide between them.
        for number in range(12):
            session.add(Thing(name=f"thing {number:02}", size=number % 3, created_at=DAY + timedelta(days=number // 4)))
        session.flush()
        yield session


def fetch(session: Session, **query: Any) -> Page[str]:
    sortable = {"created_at": Thing.created_at, "size": Thing.size, "name": Thing.name}
    return paginate(
        session, select(Thing), ListQuery(**query), sortable=sortable, key=Thing.id, to_item=lambda thing: thing.name
    )


def fetch_all(session: Session, **query: Any) -> list[str]:
    page = fetch(session, **query)
    names = list(page.items)
    while page.next_cursor and len(names) < 100:
        page = fetch(session, **{**query, "cursor": page.next_cursor})
        names += page.items
    return names


@pytest.mark.parametrize("sort", ["created_at", "-created_at", "size", "-size", "name", "-name"])
@pytest.mark.parametrize("limit", [1, 5, 12, 200])
def test_pages_hold_everything_once_and_in_order(session: Session, sort: str, limit: int) -> None:
    names = fetch_all(session, sort=sort, limit=limit)
    assert len(names) == len(set(names)) == 12
    assert names == fetch_all(session, sort=sort, limit=200)
    column = sort.removeprefix("-")
    values = [getattr(session.scalars(select(Thing).where(Thing.name == name)).one(), column) for name in names]
    assert values == sorted(values, reverse=sort.startswith("-"))


def test_the_total_is_of_the_whole_list(session: Session) -> None:
    page = fetch(session, limit=5)
    assert (len(page.items), page.total) == (5, 12)
    last = fetch(session, limit=12)
    assert (len(last.items), last.next_cursor) == (12, None)


def test_what_comes_and_goes_meanwhile_shifts_no_page(session: Session) -> None:
    before = fetch_all(session, limit=200)
    first = fetch(session, limit=5)
    session.add(Thing(name="newest", size=9, created_at=DAY + timedelta(days=99)))
    session.execute(delete(Thing).where(Thing.name.in_(first.items[:3])))
    session.flush()
    rest = fetch_all(session, limit=5, cursor=first.next_cursor)
    assert first.items + rest == before


def test_a_cursor_is_for_its_own_order(session: Session) -> None:
    cursor = fetch(session, limit=5, sort="size").next_cursor
    with pytest.raises(InvalidInputError, match="not one of this list's"):
        fetch(session, limit=5, sort="-size", cursor=cursor)


def test_an_unknown_order_is_refused_with_the_known_ones(session: Session) -> None:
    with pytest.raises(InvalidInputError, match="created_at, name, size"):
        fetch(session, sort="password")


values = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers()))
forged = st.tuples(st.sampled_from(["size", "name", "created_at"]), values, values | st.uuids().map(str)).map(list)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=forged
    | values
    | st.sampled_from([["name", "a\x00b", str(uuid4())], ["size", 2**64, str(uuid4())], ["size", 1, 5]])
)
def test_a_forged_cursor_is_refused_or_harmless(session: Session, content: Any) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(content).encode()).decode()
    sort = content[0] if isinstance(content, list) and content and content[0] in ("name", "size") else "created_at"
    if len(cursor) <= 1000:
        with contextlib.suppress(InvalidInputError):
            assert fetch(session, sort=sort, cursor=cursor).total == 12


@pytest.mark.parametrize("cursor", ["x", "====", "é", "W10=", base64.b64encode(b"[" * 700).decode(), "\x00"])
def test_noise_is_no_cursor(session: Session, cursor: str) -> None:
    with pytest.raises(InvalidInputError):
        fetch(session, cursor=cursor)
