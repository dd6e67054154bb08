"""Processes of ours as they run: the registry, Django's web process and worker. Each may be stopped and killed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx
from cryptography.fernet import Fernet

from imputehub.local.children import find_free_port

Found = TypeVar("Found")
WORKER = ("-m", "celery", "-A", "django_app.config.celery:app", "worker", "-B", "-P", "threads", "-c", "2")


def wait_until(look: Callable[[], Found | None], what: str, within_s: float = 30) -> Found:
    """The first truthy answer of `look`."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, f"not within {within_s} s: {what}"
        time.sleep(0.02)
    return found


@dataclass
class Part:
    """One process. With a `port` it serves HTTP there, and has started when it does."""

    command: list[str]
    environment: dict[str, str]
    log: Path
    port: int | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self.command], env=list_inherited() | self.environment, stdout=log, stderr=log
            )
        if self.port:
            wait_until(self._answers, f"{self.command[2]} answers; see {self.log}")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            return httpx.get(f"{self.url}/health", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self._end()

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self._end()

    def _end(self) -> None:
        assert self.process is not None
        self.process.wait(timeout=30)
        self.process = None


def describe_registry(database_url: str, authority_url: str, log: Path) -> Part:
    port, nobody = find_free_port(), find_free_port()
    environment = {
        "SERVICE_REGISTRY_DATABASE_URL": database_url,
        "SERVICE_REGISTRY_CLIENT_SECRET": "unused",
        "SERVICE_REGISTRY_ENCRYPTION_KEYS": Fernet.generate_key().decode(),
        "USER_SERVICE_URL": authority_url,
        "NOTIFICATION_URL": f"http://127.0.0.1:{nobody}",
        "REDIS_URL": f"redis://127.0.0.1:{nobody}",
        "ENVIRONMENT": "local",
    }
    return Part(_serve("microservices.service_registry.main:create", port, "--factory"), environment, log, port)


def describe_web(environment: dict[str, str], log: Path) -> Part:
    port = find_free_port()
    own = {"DJANGO_URL": f"http://127.0.0.1:{port}"}
    return Part(_serve("django_app.config.asgi:application", port), {**environment, **own}, log, port)


def describe_worker(environment: dict[str, str], log: Path) -> Part:
    schedule = ("-s", str(log.with_suffix(".beat")), "--without-mingle", "--without-gossip")
    return Part([*WORKER, *schedule], environment, log)


def _serve(target: str, port: int, *options: str) -> list[str]:
    return ["-m", "uvicorn", target, "--port", str(port), "--no-access-log", *options]


@contextmanager
def running(*parts: Part) -> Iterator[None]:
    try:
        for part in parts:
            part.start()
        yield
    finally:
        for part in reversed(parts):
            part.stop()


def run_script(
    script: str, environment: dict[str, str], *arguments: Any, within_s: float = 60
) -> subprocess.CompletedProcess[str]:
    """Python of a test's own, with Django set up as the processes above have it."""
    code = f"import django\ndjango.setup()\n{script}"
    settings = {"DJANGO_SETTINGS_MODULE": "django_app.config.settings"}
    return run_command(environment | settings, "-c", code, *map(str, arguments), within_s=within_s)


def run_command(environment: dict[str, str], *arguments: str, within_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    variables = list_inherited() | environment
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=within_s)


def list_inherited() -> dict[str, str]:
    """The variables of this process, but for what configures a Django."""
    return {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
