"""Bringing results home against a plain download of the same bytes.

    python tests/load/bench_collection.py [--size-mb N] [--rounds N]

A web server in a process of its own gives an archive as sites encrypt them (AES-256). This process does what a worker
does: fetches it into the spool, tests and decrypts it, reads R² from the info file and streams all into file_manager,
which is a process of its own on its real database and this disk. The plain download writes the archive to the disk,
and no more. Rounds alternate. Prints MB/s (10^6 bytes) per round and the medians, how the time is spent, by how much
this process and file_manager grew meanwhile, and how fast traditional zip encryption is opened, which sites use if they
are not asked for AES (the platform always asks).
"""

import argparse
import asyncio
import base64
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import psutil
import pysam
import pyzipper  # type: ignore[import-untyped]
from pydantic import SecretStr

from imputehub.local.postgresql import run_postgresql
from microservices.backends.archives import unpack_file
from microservices.backends.base import SiteFile
from microservices.backends.bgzip import END_BLOCK
from microservices.backends.michigan.results import classify_file
from microservices.backends.zipcrypto import Decrypter
from microservices.contracts.file_manager import ResultUpload
from microservices.file_manager.settings import Settings
from microservices.job_processor.logic.accuracy import InfoStream, tells_accuracy
from microservices.job_processor.peers import Peers
from microservices.job_processor.settings import Settings as JobSettings
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import TokenAuthority, serve_authority
from tests.backends.stub_site import open_michigan
from tests.backends.zipcrypto import encrypt
from tests.file_manager.process import ServiceProcess, run_service
from tests.sandbox.sandbox_site import find_free_port, wait_until

PASSWORD = "Secret12345x"
PATH = "/share/results/x/chr_20.zip"
SITES = 50_000
ZIPCRYPTO_PIECES = 200


def write_info(path: Path) -> bytes:
    with pysam.BGZFile(str(path), "wb", None) as file:
        file.write(b"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n")
        for position in range(1, SITES + 1):
            file.write(b"chr20\t%d\t.\tA\tC\t.\tPASS\tAF=0.2;MAF=0.2;AVG_CS=0.9;R2=0.8;IMPUTED\n" % position)
    return path.read_bytes()


def write_archive(folder: Path, size: int) -> Path:
    """Genotypes that do not shrink, as bgzip's do not, and an info file."""
    head = END_BLOCK[:18]
    genotypes, block = folder / "chr20.dose.vcf.gz", os.urandom(1 << 20)
    with genotypes.open("wb") as file:
        file.write(head)
        for _ in range(size >> 20):
            file.write(block)
        file.write(END_BLOCK)
    archive = folder / PATH.lstrip("/")
    archive.parent.mkdir(parents=True)
    with pyzipper.AESZipFile(archive, "w", compression=pyzipper.ZIP_STORED, encryption=pyzipper.WZ_AES) as zipped:
        zipped.setpassword(PASSWORD.encode())
        zipped.write(genotypes, genotypes.name)
        zipped.writestr("chr20.info.gz", write_info(folder / "info"))
    genotypes.unlink()
    return archive


def time_plain(url: str, target: Path) -> float:
    started = time.perf_counter()
    with urllib.request.urlopen(url + PATH) as answer, target.open("wb") as file:
        while chunk := answer.read(1 << 20):
            file.write(chunk)
    return time.perf_counter() - started


async def time_collection(url: str, peers: Peers, spool: Path, spent: dict[str, float]) -> float:
    """One file of a run, as `job_processor.logic.collection` brings it home."""
    began = time.perf_counter()
    file = SiteFile("chr_20.zip", "imputed_data", PATH, None, 10)
    async with open_michigan(url) as backend:
        await backend.fetch(file, spool)
        fetched = time.perf_counter()
        await asyncio.to_thread(store, peers, file, spool)
    ended = time.perf_counter()
    spent["fetch"] += fetched - began
    spent["decrypt, read, store"] += ended - fetched
    return ended - began


def store(peers: Peers, file: SiteFile, spool: Path) -> None:
    ids = {name: uuid4() for name in ("organization_id", "owner_id", "job_id", "run_id")}
    for member in unpack_file(file, spool, PASSWORD, classify_file):
        upload = ResultUpload(**ids, filename=member.filename, kind=member.kind)
        info = InfoStream(member.stream) if tells_accuracy(member.filename, ["chr20.info.gz"]) else None
        peers.store_result(upload, io.BufferedReader(info) if info else member.stream)
        assert info is None or info.tally is not None


def time_zipcrypto() -> tuple[float, float]:
    """Seconds until the process that decrypts is there, and MB/s from then on."""
    member = SimpleNamespace(filename="a", use_datadescripter=False, CRC=0)
    decrypter, piece = Decrypter(member, PASSWORD.encode(), encrypt(PASSWORD, bytes(12))), os.urandom(1 << 20)
    started = time.perf_counter()
    decrypter.decrypt(piece)
    running = time.perf_counter()
    for _ in range(ZIPCRYPTO_PIECES):
        decrypter.decrypt(piece)
    ended = time.perf_counter()
    decrypter.close()
    return running - started, ZIPCRYPTO_PIECES * len(piece) / 1e6 / (ended - running)


def run_rounds(url: str, peers: Peers, service: ServiceProcess, folder: Path, size: int, rounds: int) -> None:
    spent: dict[str, float] = defaultdict(float)
    asyncio.run(time_collection(url, peers, folder / "spool", {"fetch": 0.0, "decrypt, read, store": 0.0}))
    own, theirs = psutil.Process().memory_info().rss, service.read_memory()
    times: dict[str, list[float]] = {"plain": [], "collection": []}
    for _ in range(rounds):
        times["plain"].append(time_plain(url, folder / "plain"))
        times["collection"].append(asyncio.run(time_collection(url, peers, folder / "spool", spent)))
    rates = {name: [size / 1e6 / seconds for seconds in values] for name, values in times.items()}
    for name, values in rates.items():
        shown = " ".join(f"{value:.0f}" for value in values)
        sys.stdout.write(f"{name:11} median {statistics.median(values):.0f} MB/s; rounds: {shown}\n")
    ratios = [home / plain for home, plain in zip(rates["collection"], rates["plain"], strict=True)]
    sys.stdout.write(f"ratio       median {statistics.median(ratios):.2f} of the plain download\n")
    for name, seconds in spent.items():
        sys.stdout.write(f"            {name}: {rounds * size / 1e6 / seconds:.0f} MB/s\n")
    growth = psutil.Process().memory_info().rss - own, service.read_memory() - theirs
    sys.stdout.write(f"memory      worker {growth[0] / 1e6:+.1f} MB, file_manager {growth[1] / 1e6:+.1f} MB\n")
    start, rate = time_zipcrypto()
    sys.stdout.write(f"ZipCrypto   {rate:.0f} MB/s, decrypting alone, after {start:.1f} s\n")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A web server's address."""
    port = find_free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1", "--directory", str(folder)]
    site = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: is_listening(port), 20)
        yield f"http://127.0.0.1:{port}"
    finally:
        site.kill()
        site.wait(20)


def measure(folder: Path, database: str, authority_url: str, size: int, rounds: int) -> None:
    shared = {"client_secret": SecretStr("unused"), "REDIS_URL": SecretStr("redis://127.0.0.1:1/0")}
    settings = Settings(
        **shared,
        database_url=SecretStr(database),
        USER_SERVICE_URL=authority_url,
        storage_url=(folder / "storage").as_uri(),
        url_signing_keys=SecretStr(f"k1:{base64.b64encode(os.urandom(32)).decode()}"),
    )
    with serving(folder / "site") as url, run_service(settings, folder / "service.log") as service:
        worker = JobSettings(
            **shared,
            database_url=SecretStr(database),
            USER_SERVICE_URL=authority_url,
            FILE_MANAGER_URL=service.address,
            broker_url=SecretStr("unused"),
            encryption_keys=SecretStr("unused"),
            spool_dir=folder,
        )
        peers = Peers(worker)
        run_rounds(url, peers, service, folder, size, rounds)
        peers.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size-mb", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as name,
        run_postgresql(Path(name) / "postgresql", fast=True) as server,
        serve_authority(TokenAuthority()) as authority_url,
    ):
        folder = Path(name)
        (folder / "site").mkdir()
        size = write_archive(folder / "site", options.size_mb << 20).stat().st_size
        database = server.create_database()
        migrate_database("file_manager", database)
        measure(folder, database, authority_url, size, options.rounds)


def is_listening(port: int) -> bool:
    return any(one.laddr.port == port for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN)


if __name__ == "__main__":
    main()
