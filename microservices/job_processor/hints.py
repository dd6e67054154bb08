"""Telling a worker that there is work: at once, where its sweep would find it within 5 s."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from celery import Celery

from microservices.job_processor.tasks import HINT_EXPIRES_S, SWEEP_TASK
from microservices.kernel.logs import get_logger

log = get_logger(__name__)


class Hints:
    """One message tells of all that came up while the one before was on its way: to send one takes longer than to write
    a job. Nobody waits for it: a broker that is away costs seconds.
    """

    def __init__(self, celery: Celery) -> None:
        self._celery = celery
        self._due = threading.Event()
        self._ended = False

    def give(self) -> None:
        """After the commit, or the worker finds nothing."""
        self._due.set()

    def send_all(self) -> None:
        while not self._ended:
            self._due.wait()
            self._due.clear()
            try:
                self._celery.send_task(SWEEP_TASK, expires=HINT_EXPIRES_S, retry=False)
            except Exception as error:  # whatever it is: this thread has to outlive it
                log.warning("hint_not_sent", error=repr(error)[:200])

    def end(self) -> None:
        """One last message is sent: it does no harm."""
        self._ended = True
        self._due.set()


@contextmanager
def hinting(hints: Hints) -> Iterator[None]:
    """While the application runs. What the broker keeps from ending is left behind."""
    thread = threading.Thread(target=hints.send_all, name="hints", daemon=True)
    thread.start()
    try:
        yield
    finally:
        hints.end()
        thread.join(5)
