"""Ended log-ins on their way to everybody who verifies tokens.

The truth is `login_sessions.revoked_at`. One thread compares it with Redis, at once when a log-in ends here and every
2 s in any case: so a Redis that was away or has lost its data is filled again, whoever ended the log-in.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import redis
from sqlalchemy.exc import SQLAlchemyError

from microservices.kernel.db import Database, utc_now
from microservices.kernel.logs import get_logger
from microservices.kernel.revocations import RevokedSessions, connect_for_revocations, publish_revocations
from microservices.user_service import queries
from microservices.user_service.logic.tokens import PERSON_LIFE_S

_LOOK_EVERY_S = 2.0
# How long after its end a log-in is of interest: as long as its last access token, and a little for clocks that differ.
_OF_INTEREST = timedelta(seconds=PERSON_LIFE_S + 60)

log = get_logger(__name__)


class RevocationHerald:
    """`revoked`: what this process itself verifies with."""

    def __init__(self, database: Database, redis_url: str, revoked: RevokedSessions) -> None:
        self._database = database
        self._redis_url = redis_url
        self._revoked = revoked
        self._wake = threading.Event()
        self._stopped = False

    def announce(self) -> None:
        """A log-in was ended, and that is committed. Waits for nobody."""
        self._wake.set()

    def publish(self, client: redis.Redis) -> None:
        """Tell all that is of interest. Raises `redis.RedisError` or `SQLAlchemyError`."""
        with self._database.transaction() as session:
            ended = queries.list_ended_sessions(session, utc_now() - _OF_INTEREST)
        ends_at = {str(session_id): (moment + _OF_INTEREST).timestamp() for session_id, moment in ended}
        self._revoked.add(ends_at)
        if publish_revocations(client, ends_at):
            log.info("revocations_published", sessions=len(ends_at))

    def run(self) -> None:
        with closing(connect_for_revocations(self._redis_url)) as client:
            while not self._stopped:
                try:
                    self.publish(client)
                except (redis.RedisError, SQLAlchemyError) as error:
                    log.warning("revocations_not_published", error=str(error).split("\n")[0][:300])
                self._wake.wait(_LOOK_EVERY_S)
                self._wake.clear()

    def stop(self) -> None:
        self._stopped = True
        self._wake.set()


@contextmanager
def heralding(herald: RevocationHerald) -> Iterator[None]:
    thread = threading.Thread(target=herald.run, name="revocation-herald")
    thread.start()
    try:
        yield
    finally:
        herald.stop()
        thread.join(timeout=15)
