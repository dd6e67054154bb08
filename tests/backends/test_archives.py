"""Opening results: right, wrong, damaged and hostile archives."""

import gzip
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysam
import pytest
import pyzipper  # type: ignore[import-untyped]

from microservices.backends.archives import READ_BYTES, unpack_file
from microservices.backends.base import ResultMember, ResultRefusedError, SiteFile
from microservices.backends.michigan.results import classify_file
from tests.backends.zipcrypto import write_zipcrypto

PASSWORD = "Secret12345x"
ZIP = SiteFile("chr_20.zip", "imputed_data", "/share/results/x/chr_20.zip")
NAMES = ["chr20.dose.vcf.gz", "chr20.info.gz"]


def write_bgzip(path: Path, text: bytes) -> bytes:
    with pysam.BGZFile(str(path), "wb", None) as stream:
        stream.write(text)
    return path.read_bytes()


@pytest.fixture
def contents(tmp_path: Path) -> dict[str, bytes]:
    """Two members as a site sends them; the larger does not shrink and is larger than one read."""
    noise = random.Random(5).randbytes(2_500_000)
    header = b"##fileformat=VCFv4.2\n"
    return {NAMES[0]: write_bgzip(tmp_path / "d", noise), NAMES[1]: write_bgzip(tmp_path / "i", header)}


def write_aes(path: Path, members: dict[str, bytes], password: str = PASSWORD) -> Path:
    with pyzipper.AESZipFile(path, "w", compression=pyzipper.ZIP_DEFLATED, encryption=pyzipper.WZ_AES) as archive:
        archive.setpassword(password.encode())
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def write_plain(path: Path, members: dict[str, bytes], password: str = PASSWORD) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def read_all(path: Path, password: str | None = PASSWORD, file: SiteFile = ZIP) -> dict[str, bytes]:
    return {member.filename: member.stream.read() for member in unpack_file(file, path, password, classify_file)}


@pytest.mark.parametrize("write", [write_aes, write_zipcrypto, write_plain])
def test_members_come_out_as_they_went_in(
    write: Callable[..., Path], contents: dict[str, bytes], tmp_path: Path
) -> None:
    small = contents if write is not write_zipcrypto else {NAMES[1]: contents[NAMES[1]], "a.txt": b"x" * 5000}
    assert read_all(write(tmp_path / "chr_20.zip", small, PASSWORD)) == small


def test_members_know_their_kind(contents: dict[str, bytes], tmp_path: Path) -> None:
    members: list[ResultMember] = []
    for member in unpack_file(ZIP, write_aes(tmp_path / "z", {**contents, "readme.txt": b""}), PASSWORD, classify_file):
        members.append(member)
    assert [(m.filename, m.kind) for m in members] == [
        (NAMES[0], "imputed_data"),
        (NAMES[1], "imputed_data"),
        ("readme.txt", "metadata"),
    ]


@pytest.mark.parametrize("size", [READ_BYTES - 2, READ_BYTES - 1, READ_BYTES, READ_BYTES + 1])
def test_aes_members_around_the_read_size_keep_their_tag(size: int, tmp_path: Path) -> None:
    content = random.Random(size).randbytes(size)
    assert read_all(write_aes(tmp_path / "z", {"a.bin": content})) == {"a.bin": content}


@pytest.mark.parametrize("write", [write_aes, write_zipcrypto])
@pytest.mark.parametrize("password", ["Wrong1234567", None])
def test_a_wrong_or_missing_password_is_named(write: Callable[..., Path], password: str | None, tmp_path: Path) -> None:
    path = write(tmp_path / "z", {"a.txt": b"content" * 100}, PASSWORD)
    with pytest.raises(ResultRefusedError) as refused:
        read_all(path, password)
    # ZipCrypto lets one wrong password in 256 pass its own check; the checksum then tells.
    assert refused.value.code == "password_wrong" or (write is write_zipcrypto and "password" in refused.value.message)
    assert "Wrong1234567" not in refused.value.message


@pytest.mark.parametrize("write", [write_aes, write_plain])
def test_one_flipped_bit_is_found(write: Callable[..., Path], contents: dict[str, bytes], tmp_path: Path) -> None:
    path = write(tmp_path / "z", contents)
    damaged = bytearray(path.read_bytes())
    damaged[1_000_000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ResultRefusedError) as refused:
        read_all(path)
    assert (refused.value.code, refused.value.permanent) == ("archive_damaged", False)


def test_damage_is_found_even_in_what_the_caller_leaves_unread(contents: dict[str, bytes], tmp_path: Path) -> None:
    path = write_aes(tmp_path / "z", contents)
    damaged = bytearray(path.read_bytes())
    damaged[1_000_000] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ResultRefusedError):
        list(unpack_file(ZIP, path, PASSWORD, classify_file))


@pytest.mark.parametrize("keep", [0, 10, 1_000_000])
def test_a_cut_archive_is_refused(keep: int, contents: dict[str, bytes], tmp_path: Path) -> None:
    path = write_aes(tmp_path / "z", contents)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ResultRefusedError) as refused:
        read_all(path)
    assert refused.value.code == "archive_damaged"


def test_a_bgzip_member_without_its_end_block_is_cut(contents: dict[str, bytes], tmp_path: Path) -> None:
    with pytest.raises(ResultRefusedError, match="no bgzip end block"):
        read_all(write_aes(tmp_path / "z", {NAMES[0]: contents[NAMES[0]][:-28]}))


def test_a_plain_gzip_vcf_is_refused_and_other_gzip_is_not(tmp_path: Path) -> None:
    with pytest.raises(ResultRefusedError, match="not a bgzip file"):
        read_all(write_aes(tmp_path / "z", {"chr20.dose.vcf.gz": gzip.compress(b"x")}))
    assert read_all(write_aes(tmp_path / "z", {"notes.gz": gzip.compress(b"x")}))


@pytest.mark.parametrize("name", ["../../evil.vcf.gz", "/abs.txt", "a/../../b.txt", "C:/x.txt"])
def test_a_member_that_would_leave_its_folder_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ResultRefusedError) as refused:
        read_all(write_plain(tmp_path / "z", {"fine.txt": b"x", name: b"x"}))
    assert (refused.value.code, refused.value.permanent) == ("filename_unsafe", True)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "z"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("zeros", "w") as member:
        for _ in range(150):
            member.write(bytes(1024**2))
    with pytest.raises(ResultRefusedError) as refused:
        next(unpack_file(ZIP, path, None, classify_file))
    assert (refused.value.code, refused.value.permanent) == ("archive_unsafe", True)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_comes_twice_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "z", "w") as archive:
        archive.writestr("a.txt", b"1")
        archive.writestr("a.txt", b"2")
    with pytest.raises(ResultRefusedError):
        read_all(tmp_path / "z")


def test_a_file_that_is_no_archive_gives_itself(tmp_path: Path) -> None:
    report = SiteFile("statistics/snps-excluded.txt", "metadata", "/x")
    (tmp_path / "spooled").write_bytes(b"ID CHROM\n")
    (member,) = [
        (m.filename, m.kind, m.stream.read())
        for m in unpack_file(report, tmp_path / "spooled", PASSWORD, classify_file)
    ]
    assert member == ("statistics/snps-excluded.txt", "metadata", b"ID CHROM\n")


def test_a_bare_vcf_is_checked_too(contents: dict[str, Any], tmp_path: Path) -> None:
    bare = SiteFile("chr1.phased.vcf.gz", "imputed_data", "/x")
    (tmp_path / "f").write_bytes(contents[NAMES[0]][:-28])
    with pytest.raises(ResultRefusedError):
        read_all(tmp_path / "f", None, bare)


def test_a_flipped_bit_in_a_bare_vcf_is_found(contents: dict[str, Any], tmp_path: Path) -> None:
    bare = SiteFile("chr1.dose.vcf.gz", "imputed_data", "/x")
    damaged = bytearray(contents[NAMES[0]])
    damaged[1_000_000] ^= 1
    (tmp_path / "f").write_bytes(damaged)
    with pytest.raises(ResultRefusedError) as refused:
        read_all(tmp_path / "f", None, bare)
    assert (refused.value.code, refused.value.permanent) == ("archive_damaged", False)
