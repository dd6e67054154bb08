"""A Valkey of a test's own, which may come and go."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imputehub.local.valkey import accepts_connections, make_server_command, make_url
from tests.waiting import wait_until


@contextmanager
def running_valkey(directory: Path, port: int, password: str) -> Iterator[str]:
    """Keeps its data from one time to the next."""
    with subprocess.Popen(make_server_command(directory, port, password), stdout=subprocess.DEVNULL) as process:
        url = make_url(port, password)
        wait_until(lambda: accepts_connections(url), "Valkey answers")
        try:
            yield url
        finally:
            process.terminate()
