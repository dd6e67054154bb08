"""The service as a process of its own: what it takes in memory, what it writes to its log, how it survives a kill."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from imputehub.local.children import find_free_port
from microservices.file_manager.settings import Settings


@dataclass
class ServiceProcess:
    address: str
    log: Path
    process: "subprocess.Popen[bytes]"

    def read_memory(self) -> int:
        """Bytes of resident memory."""
        return int(psutil.Process(self.process.pid).memory_info().rss)

    def read_cpu(self) -> float:
        """Seconds of CPU time, of all cores."""
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(timeout=10)


def list_environment(settings: Settings) -> dict[str, str]:
    """The settings as the supervisor would set them."""
    return {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": settings.environment,
        "PUBLIC_URL": settings.public_url,
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "USER_SERVICE_URL": settings.authority_url,
        "JOB_PROCESSOR_URL": settings.job_processor_url,
        "NOTIFICATION_URL": settings.notification_url,
        "FILE_MANAGER_DATABASE_URL": settings.database_url.get_secret_value(),
        "FILE_MANAGER_CLIENT_SECRET": settings.client_secret.get_secret_value(),
        "FILE_MANAGER_STORAGE_URL": settings.storage_url,
        "FILE_MANAGER_URL_SIGNING_KEYS": settings.url_signing_keys.get_secret_value(),
        "FILE_MANAGER_MAX_UPLOAD_SIZE_MIB": str(settings.max_upload_size_mib),
        "FILE_MANAGER_CHECK_TIMEOUT_S": str(settings.check_timeout_s),
    }


@contextmanager
def run_service(settings: Settings, log: Path, prefix: tuple[str, ...] = ()) -> Iterator[ServiceProcess]:
    """The service, ready; `prefix`: what runs the interpreter (for limits). Killed in the end if it still runs."""
    port = find_free_port()
    target = "microservices.file_manager.main:create"
    command = [*prefix, sys.executable, "-m", "uvicorn", target, "--factory", "--host", "127.0.0.1"]
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--no-access-log"],
            env=list_environment(settings),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        wait_ready(address, process, log)
        yield ServiceProcess(address, log, process)
    finally:
        process.kill()
        process.wait(timeout=10)


def wait_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while True:
        with suppress(httpx.TransportError):
            ready = httpx.get(f"{address}/health/ready", timeout=30, trust_env=False).is_success
            if ready and process.poll() is None:
                return
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The service did not start: {log.read_text()[-2000:]}")
        time.sleep(0.05)


def stop_checker(pid: int) -> psutil.Process:
    """The process in which the service `pid` checks a file, suspended as soon as there is one."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for child in psutil.Process(pid).children():
            if "microservices.file_manager.check" in child.cmdline():
                child.suspend()
                return child
        time.sleep(0.01)
    raise RuntimeError("No check was begun")
