"""Pages of what belongs to one job: its history and its results, both in an order of their own."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

from microservices.kernel.errors import InvalidInputError
from microservices.kernel.pagination import Page

Item = TypeVar("Item")


class PageQuery(BaseModel):
    """`limit` and `cursor` as of every list; there is nothing to sort or filter by."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = Field(default=None, max_length=1000)


def cut_page(rows: Sequence[Item], query: PageQuery, total: int, key: Callable[[Item], str]) -> Page[Item]:
    """The page from `rows`, which begin after the cursor and are one more than the limit where there are more."""
    items = list(rows[: query.limit])
    more = len(rows) > query.limit
    cursor = base64.urlsafe_b64encode(key(items[-1]).encode()).decode() if more else None
    return Page(items=items, next_cursor=cursor, total=total)


def read_cursor(query: PageQuery) -> str:
    """The key of the last item before the page; empty at the beginning."""
    try:
        return base64.b64decode((query.cursor or "").encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise refuse_cursor() from error


def read_number(query: PageQuery) -> int:
    """The same where the key is a number (of at most 64 bits, as PostgreSQL counts); 0 at the beginning."""
    text = read_cursor(query) or "0"
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise refuse_cursor()
    return int(text)


def refuse_cursor() -> InvalidInputError:
    return InvalidInputError(
        "The cursor is not one of this list's. Start again without it.",
        errors=[{"field": "cursor", "message": "not valid"}],
    )
