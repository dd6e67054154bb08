"""The log of a failed run: servers give it as text, as an address, or as a path that only they understand."""

import json
import re

from yarl import URL

from microservices.backends.base import SiteError
from microservices.backends.egress import read_address
from microservices.backends.failures import translate_failures
from microservices.backends.ga4gh_wes.client import WesClient
from microservices.backends.ga4gh_wes.runs import read_run_log
from microservices.backends.ga4gh_wes.wire import Log
from microservices.backends.ga4gh_wes.words import clean_words

LOG_TAIL_BYTES = 64 * 1024
_API, _WESKIT_API = "/ga4gh/wes/v1", "/weskit/v1"
_ADDRESS = re.compile(r"https?://\S+")
# Text of one line can look like a path, but hardly has a slash and neither blanks nor colons.
_PATH = re.compile(r"(\.{0,2}/)?[\w.%~+-]+(/[\w.%~+-]+)+")


async def read_failure_log(client: WesClient, run_id: str) -> str:
    """What the server says of the failure, then the last part of the engine's errors (or else of its output)."""
    log = (await read_run_log(client, run_id)).run_log or Log()
    engine = await _read_stream(client, run_id, log.stderr, "stderr")
    engine = engine or await _read_stream(client, run_id, log.stdout, "stdout")
    ending = f"Exit code {log.exit_code}." if log.exit_code and not engine else ""
    parts = [*log.system_logs, engine[-LOG_TAIL_BYTES:], ending]
    return clean_words("\n".join(part for part in parts if part.strip()))


async def _read_stream(client: WesClient, run_id: str, told: str | None, name: str) -> str:
    """The text, wherever it lies; nothing where it cannot be had: half a log is better than none."""
    told = (told or "").strip()
    url = _locate(client, run_id, told, name)
    if url is None:
        return told
    try:
        return await _fetch_tail(client, url)
    except SiteError:
        return ""


def _locate(client: WesClient, run_id: str, told: str, name: str) -> URL | None:
    """The address of a stream; None where `told` is its text."""
    if told.startswith(".weskit/"):
        base = client.address("")
        root = str(base).removesuffix(_API)
        return URL(f"{root}{_WESKIT_API}{client.address_run(run_id)}/{name}", encoded=True)
    if not (_ADDRESS.fullmatch(told) or _PATH.fullmatch(told)):
        return None
    return read_address(told, client.address(client.address_run(run_id)))


async def _fetch_tail(client: WesClient, url: URL) -> str:
    """The last part of what lies there; the token goes to the server itself only."""
    tail = bytearray()
    headers = await client.authorise() if client.is_own(url) else {}
    with translate_failures():
        async with client.session.get(url, headers=headers, allow_redirects=False) as response:
            if response.status != 200:
                return ""
            async for chunk in response.content.iter_any():
                tail += chunk
                del tail[:-LOG_TAIL_BYTES]
    return _read_lines(tail.decode(errors="replace"))


def _read_lines(text: str) -> str:
    """WESkit wraps the lines: `{"content": [..]}`."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    lines = document.get("content") if isinstance(document, dict) else None
    return "\n".join(str(line).rstrip("\n") for line in lines) if isinstance(lines, list) else text
