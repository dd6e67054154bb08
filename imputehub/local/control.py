"""The supervisor's ear: one JSON line asked, one answered, over a Unix socket that only its owner can open."""

import asyncio
import contextlib
import json
import os
import secrets
import socket
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from imputehub.local.errors import LocalPlatformError, NotRunningError
from imputehub.local.state import read_json, write_private

LONGEST_PATH_BYTES = 100  # the system's limit is 108 on Linux and 104 on macOS
LONGEST_WAIT_S = 150.0

# What the admin's pages may ask for: to look and to restart, never to end the platform.
CONSOLE_VERBS = frozenset({"status", "restart", "logs"})

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


@dataclass(frozen=True)
class Tokens:
    """`owner` may everything and stays in the state directory; `console` is Django's."""

    owner: str = field(repr=False)
    console: str = field(repr=False)

    def require(self, given: str, verb: str) -> None:
        if secrets.compare_digest(given.encode(), self.owner.encode()):
            return
        if not secrets.compare_digest(given.encode(), self.console.encode()):
            raise LocalPlatformError("The token is not this platform's")
        if verb not in CONSOLE_VERBS:
            raise LocalPlatformError(f"This token is not for '{verb}'")


@contextlib.asynccontextmanager
async def serve_control(home: Path, tokens: Tokens, answer: Answer) -> AsyncIterator[None]:
    path = choose_socket_path(home)
    path.unlink(missing_ok=True)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, ValueError):  # somebody who left, or a question without an end
            writer.write(json.dumps(await _answer_line(await reader.readline(), tokens, answer)).encode() + b"\n")
            await writer.drain()
        writer.close()

    mask = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(serve, path)
    finally:
        os.umask(mask)
    write_private(home / "control.json", {"socket": str(path)})
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)


async def _answer_line(line: bytes, tokens: Tokens, answer: Answer) -> dict[str, Any]:
    try:
        question = json.loads(line)
        tokens.require(str(question["token"]), str(question["verb"]))
        return await answer(question)
    except (ValueError, KeyError, TypeError):
        return {"error": "The question is not understood"}
    except LocalPlatformError as error:
        return {"error": str(error)}


def choose_socket_path(home: Path) -> Path:
    """In the state directory, or in a private short one when that path is too long for a socket."""
    path = home / "control.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH_BYTES:
        return path
    base = os.environ.get("XDG_RUNTIME_DIR") or "/tmp"  # noqa: S108 (made private below)
    directory = Path(base) / f"imputehub-{os.getuid()}-{sha256(os.fsencode(home)).hexdigest()[:12]}"
    directory.mkdir(mode=0o700, exist_ok=True)
    facts = directory.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise LocalPlatformError(f"{directory} is not private to this account: remove it and start again")
    return directory / "control.sock"


def ask_supervisor(home: Path, verb: str, name: str | None = None) -> dict[str, Any]:
    """The supervisor's answer; `start` and `restart` wait until the process is ready.

    Raises:
        NotRunningError: nobody listens.
        LocalPlatformError: the supervisor's own words about what did not work.
    """
    path = read_json(home / "control.json", {}).get("socket", "")
    token = read_json(home / "secrets.json", {}).get("control", "")
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(LONGEST_WAIT_S)
        try:
            connection.connect(path)
            connection.sendall(json.dumps({"token": token, "verb": verb, "name": name}).encode() + b"\n")
            line = connection.makefile("rb").readline()
        except OSError:
            line = b""
    if not line:
        raise NotRunningError("The platform is not running; start it with `imputehub up`")
    answer: dict[str, Any] = json.loads(line)
    if "error" in answer:
        raise LocalPlatformError(answer["error"])
    return answer
