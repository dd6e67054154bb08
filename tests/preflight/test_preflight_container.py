"""Damage to the compressed file is told from damage to the text, and never missed."""

import gzip
import io
import zlib
from pathlib import Path

import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from microservices.preflight import check_vcf
from tests.preflight.vcf_files import (
    EOF_BLOCK,
    bgzip,
    check_bytes,
    compress_block,
    gzip_plainly,
    list_codes,
    make_record,
    make_vcf,
)

TEXT = make_vcf([make_record(["0/1", "1/1"] * 10, position=1000 + n) for n in range(200)])
FILE = bgzip(TEXT, block=3_000)
SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)


def test_file_of_htslib_passes(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.vcf", tmp_path / "a.vcf.gz"
    plain.write_text(TEXT)
    pysam.tabix_compress(str(plain), str(packed))
    report = check_vcf(packed)
    assert (report.verdict, report.variants, report.issues) == ("pass", 200, [])


@SAME_FOLDER
@given(length=st.integers(0, len(FILE) - 1))
def test_every_cut_file_fails(tmp_path: Path, length: int) -> None:
    report = check_bytes(tmp_path, FILE[:length])
    assert report.verdict == "fail"
    assert {"truncated", "eof_block_missing", "file_empty", "not_vcf"} & set(list_codes(report))
    assert "column_count" not in list_codes(report), "the unfinished last line is no finding of its own"


@SAME_FOLDER
@given(byte=st.integers(0, len(FILE) - 1), flip=st.integers(1, 255))
def test_changed_byte_fails_unless_the_text_is_the_same(tmp_path: Path, byte: int, flip: int) -> None:
    data = bytearray(FILE)
    data[byte] ^= flip
    report = check_bytes(tmp_path, bytes(data))
    assert report.verdict == "fail" or read_with_zlib(bytes(data)) == TEXT.encode()


def read_with_zlib(data: bytes) -> bytes | None:
    try:
        return gzip.GzipFile(fileobj=io.BytesIO(data)).read()
    except (OSError, EOFError, zlib.error):
        return None


def test_damage_in_the_middle_keeps_what_was_read_before(tmp_path: Path) -> None:
    data = bytearray(FILE)
    data[len(FILE) // 2] ^= 255
    report = check_bytes(tmp_path, bytes(data))
    assert list_codes(report) == ["block_damaged"]
    assert report.samples == 20
    assert 0 < report.variants < 200


@pytest.mark.parametrize(
    "tail", [b"garbage behind the end", b"\x00", b"\x1f\x8b\x08\x00plain gzip follows"], ids=["text", "zero", "gzip"]
)
def test_garbage_behind_the_end_fails(tmp_path: Path, tail: bytes) -> None:
    assert check_bytes(tmp_path, FILE + tail).verdict == "fail"


@pytest.mark.parametrize(
    "block",
    [compress_block(TEXT[:100].encode(), zlib.Z_SYNC_FLUSH), compress_block(TEXT.encode() * 4)],
    ids=["without the end of its data", "above 64 KiB"],
)
def test_block_that_no_standard_allows_is_damage(tmp_path: Path, block: bytes) -> None:
    assert "block_damaged" in list_codes(check_bytes(tmp_path, bgzip(TEXT, end=b"") + block + EOF_BLOCK))


def test_files_joined_with_cat_are_read_through_to_the_second_header(tmp_path: Path) -> None:
    report = check_bytes(tmp_path, FILE + FILE)
    assert set(list_codes(report)) == {"header_in_body", "unsorted"}
    assert report.variants == 400


@pytest.mark.parametrize("data", [EOF_BLOCK, gzip_plainly("")], ids=["bgzip", "gzip"])
def test_archive_of_nothing_is_called_empty(tmp_path: Path, data: bytes) -> None:
    assert "file_empty" in list_codes(check_bytes(tmp_path, data))


def test_last_line_without_line_feed_counts(tmp_path: Path) -> None:
    report = check_bytes(tmp_path, bgzip(TEXT.rstrip("\n")))
    assert (report.verdict, report.variants) == ("pass", 200)


def test_blocks_of_one_byte_read_the_same(tmp_path: Path) -> None:
    small = make_vcf()
    assert check_bytes(tmp_path, bgzip(small, block=1)) == check_bytes(tmp_path, bgzip(small))


def test_plain_gzip_is_read_through_all_members_and_padding(tmp_path: Path) -> None:
    half = len(TEXT) // 2
    report = check_bytes(tmp_path, gzip_plainly(TEXT[:half]) + gzip_plainly(TEXT[half:]) + bytes(2 << 20))
    assert list_codes(report) == ["plain_gzip"]
    assert report.variants == 200


def test_cut_plain_gzip_is_called_truncated(tmp_path: Path) -> None:
    codes = list_codes(check_bytes(tmp_path, gzip_plainly(TEXT)[:-9]))
    assert set(codes) == {"plain_gzip", "truncated"}


@pytest.mark.parametrize(
    "start",
    [b"PK\x03\x04 a zip archive", b"BCF\x02\x02", b"\xef\xbb\xbf##fileformat=VCFv4.2\n", b"#"],
    ids=["zip", "bcf", "byte order mark", "one byte"],
)
def test_other_formats_are_not_vcf(tmp_path: Path, start: bytes) -> None:
    assert list_codes(check_bytes(tmp_path, start)) == ["not_vcf"]
    assert list_codes(check_bytes(tmp_path, bgzip(start))) == ["not_vcf"]


def test_missing_file_is_the_callers_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check_vcf(tmp_path / "absent.vcf.gz")
