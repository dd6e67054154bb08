"""Whatever the bytes: a report, in bounded time and memory, and never an exception."""

import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from microservices.preflight import QualityReport
from tests.preflight.vcf_files import (
    bgzip,
    check_bytes,
    compress_block,
    gzip_plainly,
    list_codes,
    make_header,
    make_record,
    make_vcf,
    name_samples,
)

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
TEXT = make_vcf([make_record(["0/1", "1|1", ".", "10/2:7"] * 5, position=1000 + n) for n in range(6)]).encode()
MB = 1 << 20


def assert_sound(report: QualityReport) -> None:
    again = QualityReport.model_validate_json(report.model_dump_json())
    assert again == report
    assert "\\u0000" not in report.model_dump_json()


@SAME_FOLDER
@given(data=st.binary(max_size=500), magic=st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08\x04", bgzip(TEXT)[:18]]))
def test_random_bytes_fail(tmp_path: Path, data: bytes, magic: bytes) -> None:
    report = check_bytes(tmp_path, magic + data)
    assert_sound(report)
    assert report.verdict == "fail"


@SAME_FOLDER
@given(body=st.binary(max_size=500))
@example(body=b"\n\n\n")
@example(body=b"\t" * 40 + b"\n")
@example(body=b"\t" * 28)
@example(body=b"#\r\n\r\n\r")
def test_random_bytes_behind_a_header_are_reported(tmp_path: Path, body: bytes) -> None:
    report = check_bytes(tmp_path, bgzip(make_header(name_samples(20)).encode() + body))
    assert_sound(report)
    assert report.verdict == "fail"


@SAME_FOLDER
@given(
    at=st.integers(0, len(TEXT)),
    removed=st.integers(0, 60),
    added=st.one_of(st.binary(max_size=12), st.text("\t\n\r#:/|.0129", max_size=40).map(str.encode)),
)
def test_mutated_text_gives_a_report(tmp_path: Path, at: int, removed: int, added: bytes) -> None:
    assert_sound(check_bytes(tmp_path, bgzip(TEXT[:at] + added + TEXT[at + removed :])))


@pytest.mark.parametrize("position", ["9999999999", "99999999999999999999999", "0", "-1", "1.5", "٣", " 7", ""])
def test_strange_positions_are_issues(tmp_path: Path, position: str) -> None:
    report = check_bytes(tmp_path, bgzip(make_vcf([make_record(["0|1"] * 20, position=position)])))
    assert {"invalid_position", "position_beyond_end"} & set(list_codes(report))
    assert report.variants == 1


def make_bomb(kind: str) -> bytes:
    """About 256 MB of text in few bytes."""
    start = make_vcf().encode()
    if kind == "endless line":
        return compress_block(start) + compress_block(bytes(65_280)) * 4_000
    if kind == "endless tabs":
        return compress_block(start) + compress_block(b"\t" * 65_280) * 4_000
    if kind == "endless line in plain gzip":
        return gzip_plainly(make_vcf() + "0/1\t" * (64 * MB))
    if kind == "endless header":
        return compress_block(b"##fileformat=VCFv4.2\n") + compress_block(b"##x=" + b"y" * 9_995 + b"\n") * 27_000
    if kind == "empty lines":
        return compress_block(start) + compress_block(b"\n" * 65_280) * 300
    return compress_block(start) + compress_block(make_record(["0/1/1"] * 20).encode() * 500) * 300


@pytest.mark.parametrize(
    "kind", ["endless line", "endless tabs", "endless line in plain gzip", "endless header", "empty lines", "bad calls"]
)
def test_bombs_stay_within_time_and_memory(tmp_path: Path, kind: str) -> None:
    data = make_bomb(kind)
    tracemalloc.start()
    begin = time.process_time()
    report = check_bytes(tmp_path, data)
    seconds, peak = time.process_time() - begin, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert report.verdict == "fail"
    assert peak - len(data) < 100 * MB
    assert seconds < 20
