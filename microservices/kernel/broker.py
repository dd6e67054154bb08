"""Redis as the broker of busy workers: one that goes away, and comes back, must not end them.

A message is a hint whose work the sweeps find. Celery acknowledges late, and gives back what it has not acknowledged,
also through a channel whose connection is gone by then; kombu fails at that with an `AttributeError`, which nobody
expects, and the worker ends with all that it is sending and fetching.
"""

from typing import Any

from kombu.transport import redis


class Channel(redis.Channel):
    do_restore = False
    _sender: Any = None

    def _create_client(self, asynchronous: bool = False) -> Any:
        """One for all messages: kombu makes one for each, which takes as long as sending it."""
        if asynchronous:
            return super()._create_client(asynchronous=True)  # type: ignore[misc]
        if self._sender is None or self._sender.connection_pool is not self.pool:
            self._sender = super()._create_client()  # type: ignore[misc]
        return self._sender

    def basic_ack(self, delivery_tag: Any, multiple: bool = False) -> None:
        if self.connection is not None:
            super().basic_ack(delivery_tag, multiple)

    def basic_reject(self, delivery_tag: Any, requeue: bool = False) -> None:
        if self.connection is not None:
            super().basic_reject(delivery_tag, requeue)


class Transport(redis.Transport):
    Channel = Channel
