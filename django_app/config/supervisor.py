"""The local supervisor, asked over its socket: one JSON line there, one back. Elsewhere there is none."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

_TIMEOUT_S = 5.0
_LONGEST_ANSWER = 16 * 2**20


class SupervisorError(Exception):
    """It does not answer, or says why it does not do what was asked."""


@dataclass(frozen=True)
class Supervisor:
    socket_path: str
    token: str = field(repr=False)

    async def ask(self, verb: str, **question: Any) -> dict[str, Any]:
        """Raises SupervisorError."""
        line = json.dumps({**question, "verb": verb, "token": self.token}).encode() + b"\n"
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                answer = json.loads(await self._exchange(line))
        except (OSError, TimeoutError, ValueError) as error:
            raise SupervisorError("The local supervisor does not answer. Is `imputehub up` still running?") from error
        if "error" in answer:
            raise SupervisorError(f"{answer['error']}.")
        return dict(answer)

    async def _exchange(self, line: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self.socket_path, limit=_LONGEST_ANSWER)
        try:
            writer.write(line)
            await writer.drain()
            return await reader.readline()
        finally:
            writer.close()


def find_supervisor() -> Supervisor | None:
    """None where processes are somebody else's to run: containers, Kubernetes."""
    environment = settings.ENVIRONMENT
    token = environment.supervisor_token.get_secret_value()
    return Supervisor(environment.supervisor_socket, token) if environment.supervisor_socket and token else None
