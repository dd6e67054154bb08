"""Uploads straight to file_manager against hashlib alone on the same bytes.

    python tests/load/bench_files.py [--size-mb N] [--rounds N]

The service runs as a process of its own on its real database and this disk; the client sends one buffer again and
again from this process, so both share the machine's cores. Rounds alternate. Prints MB/s (10^6 bytes) per round, the
medians, their ratio (mark: 0.6), the service's CPU time, and by how much the service's memory grew during the uploads
(mark: 4 MB).
"""

import argparse
import base64
import hashlib
import http.client
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import SecretStr

from imputehub.local.postgresql import run_postgresql
from microservices.file_manager.settings import Settings
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_authority
from tests.file_manager.process import ServiceProcess, run_service

BLOCK = os.urandom(1 << 20)


def repeat_block(size: int) -> Iterator[bytes]:
    whole, rest = divmod(size, len(BLOCK))
    for _ in range(whole):
        yield BLOCK
    yield BLOCK[:rest]


def time_hash(size: int) -> float:
    started, digest = time.perf_counter(), hashlib.sha256()
    for block in repeat_block(size):
        digest.update(block)
    digest.hexdigest()
    return time.perf_counter() - started


def time_upload(address: str, headers: dict[str, str], size: int) -> float:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=300)
    started = time.perf_counter()
    length = {"Content-Length": str(size)}
    connection.request("POST", "/api/v1/files?filename=bench.vcf.gz", repeat_block(size), headers | length)
    answer = connection.getresponse()
    body = answer.read()
    if answer.status != 201:
        raise RuntimeError(f"{answer.status}: {body[:500]!r}")
    connection.close()
    return time.perf_counter() - started


def run_rounds(service: ServiceProcess, headers: dict[str, str], size: int, rounds: int) -> None:
    time_upload(service.address, headers, 32 << 20)  # imports, connections and allocators are warm after it
    memory, spent = service.read_memory(), service.read_cpu()
    times: dict[str, list[float]] = {"hashlib": [], "upload": []}
    for _ in range(rounds):
        times["hashlib"].append(time_hash(size))
        times["upload"].append(time_upload(service.address, headers, size))
    spent = service.read_cpu() - spent
    growth = service.read_memory() - memory
    rates = {name: [size / 1e6 / seconds for seconds in values] for name, values in times.items()}
    for name, values in rates.items():
        shown = " ".join(f"{value:.0f}" for value in values)
        sys.stdout.write(f"{name:8} median {statistics.median(values):.0f} MB/s; rounds: {shown}\n")
    ratios = [upload / alone for upload, alone in zip(rates["upload"], rates["hashlib"], strict=True)]
    sys.stdout.write(f"ratio    median {statistics.median(ratios):.2f} of hashlib alone (mark: 0.6)\n")
    sys.stdout.write(f"CPU      {spent / rounds / size * 1e9:.2f} s of the service per GB\n")
    sys.stdout.write(f"memory   {memory / 1e6:.1f} MB before, {growth / 1e6:+.1f} MB after (mark: +4 MB)\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size-mb", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    authority = TokenAuthority()
    with (
        tempfile.TemporaryDirectory() as folder,
        run_postgresql(Path(folder) / "postgresql", fast=True) as server,
        serve_authority(authority) as authority_url,
    ):
        url = server.create_database()
        migrate_database("file_manager", url)
        settings = Settings(
            database_url=SecretStr(url),
            client_secret=SecretStr("unused"),
            REDIS_URL=SecretStr("redis://127.0.0.1:1/0"),
            USER_SERVICE_URL=authority_url,
            storage_url=(Path(folder) / "storage").as_uri(),
            url_signing_keys=SecretStr(f"k1:{base64.b64encode(os.urandom(32)).decode()}"),
            max_upload_size_mib=options.size_mb + 1,
        )
        with run_service(settings, Path(folder) / "service.log") as service:
            run_rounds(service, authority.person(), options.size_mb * 1_000_000, options.rounds)


if __name__ == "__main__":
    main()
