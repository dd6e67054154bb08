"""Records: order, columns and calls, compared with a plain reading of the same text."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from microservices.preflight import QualityReport, lines
from tests.preflight.vcf_files import (
    bgzip,
    check_bytes,
    check_text,
    find_issue,
    list_codes,
    make_header,
    make_record,
    make_vcf,
    name_samples,
)

SAME_FOLDER = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
CALLS = [
    "0/0",
    "0/1",
    "1|0",
    "1|1",
    "./.",
    ".|.",
    "0/.",
    ".|1",
    "0",
    ".",
    "10/2",
    "1|123",
    "0/0/1",
    "",
    "0/",
    "a/b",
    "00000/1",
]
EASY_CALLS = ["0/0", "0|1", "./.", ".|.", "3/0"]
TRAILERS = ["", ":12", ":.:0.5,0.3"]


@st.composite
def draw_rows(draw: st.DrawFn) -> tuple[int, list[str]]:
    """A number of samples and records of them, some plain, some with every kind of call and further fields."""
    samples = draw(st.integers(1, 6))
    rows = []
    for number in range(draw(st.integers(1, 12))):
        kinds = draw(st.sampled_from([CALLS, EASY_CALLS, ["0|1"], ["1/1"]]))
        trailer = draw(st.sampled_from(TRAILERS))
        calls = [draw(st.sampled_from(kinds)) + trailer for _ in range(samples)]
        rows.append(
            make_record(
                calls, position=1000 + number, form="GT" + ":XY" * (trailer != ""), info="A" * draw(st.integers(1, 200))
            )
        )
    return samples, rows


def read_plainly(rows: list[str]) -> Iterator[str]:
    """The kind of each call, read one by one."""
    for row in rows:
        for column in row.rstrip("\n").split("\t")[9:]:
            call = column.split(":")[0]
            if not re.fullmatch(r"(\d{1,4}|\.)([/|](\d{1,4}|\.))*", call):
                yield "malformed"
            elif len(re.split(r"[/|]", call)) > 2:
                yield "polyploid"
            elif call == "./.":
                yield "missing"
            elif call != ".|." and not call.isdigit() and call != ".":
                yield "phased" if "|" in call else "unphased"


def count_issue(report: QualityReport, code: str) -> int:
    return sum(issue.count for issue in report.issues if issue.code == code)


@SAME_FOLDER
@given(drawn=draw_rows(), crlf=st.booleans())
def test_calls_are_counted_as_a_plain_reading_counts_them(
    tmp_path: Path, drawn: tuple[int, list[str]], crlf: bool
) -> None:
    samples, rows = drawn
    text = make_vcf(rows, samples)
    report = check_text(tmp_path, text.replace("\n", "\r\n") if crlf else text)
    kinds = list(read_plainly(rows))
    phased, unphased = kinds.count("phased"), kinds.count("unphased")
    assert report.variants == len(rows)
    assert report.phased == (phased > 0 if bool(phased) != bool(unphased) else None)
    assert count_issue(report, "malformed_genotype") == kinds.count("malformed")
    assert count_issue(report, "polyploid_genotype") == kinds.count("polyploid")
    assert count_issue(report, "mixed_phasing") == (unphased if phased else 0)
    assert count_issue(report, "missing_unphased") == (kinds.count("missing") if phased and not unphased else 0)


@SAME_FOLDER
@given(drawn=draw_rows(), chunk=st.integers(1, 2_000))
def test_report_does_not_depend_on_the_size_of_chunks(tmp_path: Path, drawn: tuple[int, list[str]], chunk: int) -> None:
    data = bgzip(make_vcf(drawn[1], drawn[0]), block=500)
    whole = check_bytes(tmp_path, data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "CHUNK", chunk)
        assert check_bytes(tmp_path, data) == whole


@SAME_FOLDER
@given(
    places=st.lists(
        st.tuples(
            st.sampled_from(["1", "2", "chr2", "a_name_longer_than_16_bytes_1", "a_name_longer_than_16_bytes_2"]),
            st.integers(1, 9),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_order_is_judged_as_a_plain_reading_judges_it(tmp_path: Path, places: list[tuple[str, int]]) -> None:
    text = make_vcf([make_record(["0|1"] * 2, name, position) for name, position in places], samples=2)
    report = check_text(tmp_path, text)
    pairs = list(pairwise(places))
    backwards = sum(name == before and position < earlier for (before, earlier), (name, position) in pairs)
    blocks = 1 + sum(name != before for (before, _), (name, _) in pairs)
    assert report.chromosomes == list(dict.fromkeys(name for name, _ in places))
    assert count_issue(report, "unsorted") == backwards
    assert count_issue(report, "chromosome_blocks") == blocks - len(report.chromosomes)


def test_faults_far_into_a_long_file_are_found_with_their_lines(tmp_path: Path) -> None:
    rows = [make_record(["0|1"] * 200, position=10 * number) for number in range(1, 8_001)]  # 6.6 MB: several chunks
    rows[4_999] = make_record(["0|1"] * 199 + ["0/1"], position=1)
    rows[7_000] = rows[7_000][:-5] + "\n"
    report = check_text(tmp_path, make_vcf(rows, samples=200))
    assert list_codes(report) == ["column_count", "unsorted", "mixed_phasing"]
    assert "line 5003, 20:1 follows 49990" in find_issue(report, "unsorted").message
    assert "line 7004" in find_issue(report, "column_count").message
    assert "1,599,799 with | and 1 with /; first / at line 5003" in find_issue(report, "mixed_phasing").message


def test_long_info_and_short_lines_in_one_file_are_read_alike(tmp_path: Path) -> None:
    rows = [make_record(["0|1"] * 20, position=number, info="X" * (number * 50)) for number in range(1, 40)]
    assert list_codes(check_text(tmp_path, make_vcf(rows))) == []


def test_file_without_samples_still_tells_build_and_variants(tmp_path: Path) -> None:
    text = make_header([]) + "20\t5\t.\tA\tG\t.\tPASS\t.\n20\t9\t.\tA\tG\t.\tPASS\t.\n"
    report = check_text(tmp_path, text)
    assert (report.samples, report.variants, report.build, report.phased) == (0, 2, "hg19", None)
    assert list_codes(report) == ["no_samples"]


def test_haploid_men_on_chromosome_x_do_not_unphase_a_file(tmp_path: Path) -> None:
    text = make_vcf([make_record(["0|1", "1"] * 10, "X", 5_000_000)], meta=["##reference=GRCh37"])
    report = check_text(tmp_path, text)
    assert (report.verdict, report.phased) == ("pass", True)


def test_names_are_told_as_printable_text(tmp_path: Path) -> None:
    raw = make_vcf([make_record(["0|1"] * 20, "\x00\x1b[31m")]).encode()
    report = check_bytes(tmp_path, bgzip(raw))
    assert report.chromosomes == ["\\x00\\x1b[31m"]
    assert report.model_dump_json().isascii() or "\x00" not in report.model_dump_json()


def test_as_many_samples_as_any_site_takes_are_read(tmp_path: Path) -> None:
    text = make_header(name_samples(110_000)) + make_record(["0|1:0.99:1,2,3"] * 110_000, form="GT:XY:ZZ")
    report = check_text(tmp_path, text)
    assert (report.verdict, report.samples, report.phased) == ("pass", 110_000, True)


def test_sites_are_counted_by_the_million_of_each_human_chromosome(tmp_path: Path) -> None:
    places = [("chr2", 1), ("chr2", 1_000_000), ("chr2", 1_000_001), ("chr2", 3_500_000), ("chrX", 2_000_000)]
    others = [("chrUn_KI270742v1", 7), ("chr3", 999_999_999)]
    rows = [make_record(["0|1"] * 20, position=position, chromosome=name) for name, position in places + others]
    report = check_text(tmp_path, make_header(name_samples(20)) + "".join(rows))
    assert report.sites_per_mb == {"chr2": [2, 1, 0, 1], "chrX": [0, 1], "chr3": [0] * 299 + [1]}
