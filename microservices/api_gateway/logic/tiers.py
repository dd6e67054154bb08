"""Rate limit tiers, read from the table again and again, so that a change needs no restart."""

import asyncio
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from microservices.api_gateway.queries import list_tiers
from microservices.kernel.db import Database
from microservices.kernel.logs import get_logger

_REFRESH_S = 30

log = get_logger(__name__)


@dataclass(frozen=True)
class Tier:
    """`requests` in `window_s` seconds; None: without limit."""

    name: str
    requests: int | None
    window_s: int


ADMIN_PAGES = "admin_pages"
# What holds while the database has not answered yet: the same that the migrations write.
BUILT_IN = (
    Tier("local", None, 3600),
    Tier("development", 1000, 3600),
    Tier("standard", 100, 3600),
    Tier("extended", 200, 3600),
    Tier("anonymous", 100, 3600),
    Tier(ADMIN_PAGES, 3600, 3600),
)


class Tiers:
    """The tiers by name. An unknown name gets what callers without a token get."""

    def __init__(self, anonymous: str) -> None:
        self._anonymous = anonymous
        self._tiers = {tier.name: tier for tier in BUILT_IN}

    @property
    def anonymous(self) -> Tier:
        return self._tiers[self._anonymous]

    def find(self, name: str) -> Tier:
        return self._tiers.get(name) or self.anonymous

    def load(self, database: Database) -> None:
        with database.transaction() as session:
            rows = {row.name: Tier(row.name, row.requests, row.window_s) for row in list_tiers(session)}
        self._tiers = {**{tier.name: tier for tier in BUILT_IN}, **rows}

    async def keep_fresh(self, database: Database) -> None:
        while True:
            try:
                await asyncio.to_thread(self.load, database)
            except SQLAlchemyError as error:
                log.warning("tiers_not_read", error=str(error).split("\n")[0][:300])
            await asyncio.sleep(_REFRESH_S)
