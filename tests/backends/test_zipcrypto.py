"""Traditional zip encryption, decrypted in a process of its own."""

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from pyzipper.zipfile import CRCZipDecrypter  # type: ignore[import-untyped]

from microservices.backends.archives import unpack_file
from microservices.backends.base import ResultRefusedError, SiteFile
from microservices.backends.michigan.results import classify_file
from microservices.backends.zipcrypto import SMALL_BYTES, Decrypter, DecryptionLostError, Filter
from tests.backends.zipcrypto import encrypt, write_zipcrypto

PASSWORD = "Secret12345x"
ZIP = SiteFile("chr_20.zip", "imputed_data", "/share/results/x/chr_20.zip")
HEADER = encrypt(PASSWORD, bytes(12))
LARGE = random.Random(1).randbytes(SMALL_BYTES + 50_001)
# Opens a member, starts the process, and waits to be killed.
_HOLDER = """
import sys
from types import SimpleNamespace
from microservices.backends.zipcrypto import SMALL_BYTES, Decrypter
member = SimpleNamespace(filename="a", use_datadescripter=False, CRC=0)
Decrypter(member, sys.argv[1].encode(), bytes.fromhex(sys.argv[2])).decrypt(bytes(SMALL_BYTES))
print("open", flush=True)
sys.stdin.read()
"""


def open_member(kind: type[CRCZipDecrypter]) -> CRCZipDecrypter:
    return kind(SimpleNamespace(filename="a", use_datadescripter=False, CRC=0), PASSWORD.encode(), HEADER)


def find_processes(parent: psutil.Process) -> list[psutil.Process]:
    return [child for child in parent.children() if any("zipcrypto_filter" in word for word in child.cmdline())]


@pytest.fixture(scope="module", autouse=True)
def _running() -> Iterator[None]:
    """A member that stays open, so that the process does: to start it takes half a second."""
    member = open_member(Decrypter)
    member.decrypt(LARGE)
    yield
    member.close()
    assert not find_processes(psutil.Process())


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_zipcrypto(tmp_path_factory.mktemp("z") / "z", {"a.bin": LARGE}, PASSWORD)


def read_all(path: Path, password: str) -> dict[str, bytes]:
    return {member.filename: member.stream.read() for member in unpack_file(ZIP, path, password, classify_file)}


def test_pieces_of_any_size_come_out_as_python_decrypts_them() -> None:
    ours, python, chance = open_member(Decrypter), open_member(CRCZipDecrypter), random.Random(2)
    for size in [1, 4096, SMALL_BYTES - 4200, 1, 70_001, 3, 0, 33_333]:
        data = chance.randbytes(size)
        assert ours.decrypt(data) == python.decrypt(data), size
    ours.close()


def test_large_members_come_out_as_they_went_in(archive: Path) -> None:
    assert read_all(archive, PASSWORD) == {"a.bin": LARGE}


def test_stored_members_come_out_as_they_went_in(tmp_path: Path) -> None:
    members = {"a.bin": LARGE[:10_000], "b.bin": b""}
    assert read_all(write_zipcrypto(tmp_path / "z", members, PASSWORD, deflate=False), PASSWORD) == members


def test_a_wrong_password_of_a_large_member_is_named(archive: Path) -> None:
    with pytest.raises(ResultRefusedError) as refused:
        read_all(archive, "Wrong1234567")
    assert (refused.value.code, refused.value.permanent) == ("password_wrong", True)


@pytest.mark.parametrize("place", [1000, SMALL_BYTES + 1000])
def test_a_flipped_bit_is_found(place: int, archive: Path, tmp_path: Path) -> None:
    damaged = bytearray(archive.read_bytes())
    damaged[place] ^= 1
    (tmp_path / "z").write_bytes(damaged)
    with pytest.raises(ResultRefusedError) as refused:
        read_all(tmp_path / "z", PASSWORD)
    assert refused.value.code == "archive_damaged"


def test_a_cut_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    (tmp_path / "z").write_bytes(archive.read_bytes()[:-5000])
    with pytest.raises(ResultRefusedError) as refused:
        read_all(tmp_path / "z", PASSWORD)
    assert refused.value.code == "archive_damaged"


def test_a_process_that_dies_is_no_fault_of_the_archive_and_the_next_member_gets_another() -> None:
    member = open_member(Decrypter)
    (process,) = find_processes(psutil.Process())
    process.kill()
    with pytest.raises(DecryptionLostError):
        member.decrypt(LARGE)
    member.close()
    again = open_member(Decrypter)
    assert len(again.decrypt(LARGE)) == len(LARGE)
    again.close()
    assert len(find_processes(psutil.Process())) == 1


def test_the_process_ends_when_its_parent_is_killed() -> None:
    command = [sys.executable, "-c", _HOLDER, PASSWORD, HEADER.hex()]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        (process,) = find_processes(psutil.Process(holder.pid))
        holder.kill()
        try:
            holder.communicate(timeout=20)  # until the last that has our end of the pipe is gone
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def test_a_process_that_stands_still_is_not_waited_for_for_ever() -> None:
    before, stuck = find_processes(psutil.Process()), Filter()
    stuck.join()
    stuck.decrypt((1, 2, 3), b"a piece")
    (process,) = set(find_processes(psutil.Process())) - set(before)
    process.suspend()
    stuck.patience_s = 0.05
    with pytest.raises(DecryptionLostError):
        stuck.decrypt((1, 2, 3), b"another piece")
    stuck.leave()
    assert not process.is_running()
