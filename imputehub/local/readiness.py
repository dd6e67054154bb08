"""How each kind of process shows that it can be used. Each check blocks for at most 2 s."""

import contextlib
import http.client
from typing import cast

import redis

TIMEOUT_S = 2.0


def answers_http(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status < 300
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def awaits_tasks(redis_url: str, database: int) -> bool:
    """True once a Celery worker waits for messages: its blocking read shows in the broker's client list."""
    try:
        with contextlib.closing(redis.Redis.from_url(redis_url, socket_timeout=TIMEOUT_S)) as client:
            clients = cast(list[dict[str, str]], client.client_list())
    except redis.RedisError:
        return False
    return any(one["db"] == str(database) and one["cmd"].startswith("brpop") for one in clients)
