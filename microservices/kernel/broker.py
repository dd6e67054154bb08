"""Redis as the broker of busy workers: one that goes away, and comes back, must not end them.

A message is a hint whose work the sweeps find. Celery acknowledges late, and gives back what it has not acknowledged,
also through a channel whose connection is gone by then; kombu fails at that with an `AttributeError`, which nobody
expects, and the worker ends with all that it is sending and fetching.
"""

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    do_restore = False

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:
        if self.connection is not None:
            super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        if self.connection is not None:
            super().basic_reject(delivery_tag, requeue)


class Transport(redis.Transport):
    Channel = Channel
