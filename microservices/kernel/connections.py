"""HTTP between our own services over kept connections, and nothing more: a general client costs a millisecond of CPU
for each call, which is most of what a small answer costs altogether.
"""

import json
import select
import time
from collections import deque
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

from microservices.kernel.errors import DependencyUnavailableError

# Servers end connections on which nothing was asked for a while: uvicorn after 5 s.
_KEEP_IDLE_S = 4


class Answer(NamedTuple):
    status: int
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        return json.loads(self.body)


class Connections:
    """To one server, from any thread. `timeout_s`: of connecting, and of each wait for bytes."""

    def __init__(self, base_url: str, *, timeout_s: float = 10) -> None:
        self._address = urlsplit(base_url)
        self._timeout_s = timeout_s
        self._idle: deque[tuple[float, HTTPConnection]] = deque()

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        *,
        json_body: Any = None,
        params: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Raises `DependencyUnavailableError` when there is no whole answer."""
        target = self._address.path.rstrip("/") + path + (f"?{urlencode(params, doseq=True)}" if params else "")
        body = None
        if json_body is not None:
            body, headers = json.dumps(json_body).encode(), {**headers, "Content-Type": "application/json"}
        connection = self._take()
        try:
            connection.request(method, target, body, dict(headers))
            response = connection.getresponse()
            answer = Answer(response.status, response.read())
        except (OSError, HTTPException) as error:
            connection.close()
            raise DependencyUnavailableError(f"{self._address.netloc} does not answer: {error!r}") from error
        except BaseException:
            connection.close()
            raise
        if not response.will_close:
            self._idle.append((time.monotonic(), connection))
        return answer

    def _take(self) -> HTTPConnection:
        """The one that was used last, or a new one."""
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                open_one = HTTPSConnection if self._address.scheme == "https" else HTTPConnection
                return open_one(self._address.hostname or "", self._address.port, timeout=self._timeout_s)
            if time.monotonic() - since < _KEEP_IDLE_S and not has_ended(connection.sock.fileno()):
                return connection
            connection.close()

    def close(self) -> None:
        while self._idle:
            self._idle.pop()[1].close()


def has_ended(descriptor: int) -> bool:
    """Whether the other side of a connection on which nothing is awaited has closed it, or said something unasked."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(0))
