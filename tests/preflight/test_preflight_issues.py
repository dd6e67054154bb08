"""Every issue code with a file that earns it, and what its words must say."""

from pathlib import Path
from typing import NamedTuple

import pytest

from microservices.preflight.issues import KINDS
from tests.preflight.vcf_files import (
    CONTIG_20,
    bgzip,
    check_bytes,
    find_issue,
    gzip_plainly,
    list_codes,
    make_header,
    make_record,
    make_vcf,
    name_samples,
)

GOOD = make_vcf()
HETS = ["0/1"] * 20
HG38 = [CONTIG_20["hg38"]]


class Case(NamedTuple):
    data: bytes
    number: int
    words: str  # must stand in the message


def at(*places: tuple[str, object]) -> str:
    return make_vcf([make_record(HETS, chromosome, position) for chromosome, position in places], meta=[])


def with_calls(*rows: list[str], form: str = "GT") -> bytes:
    return bgzip(make_vcf([make_record(row, position=1000 + n, form=form) for n, row in enumerate(rows)]))


def break_block() -> bytes:
    first, last = bgzip(make_header(name_samples(20)), end=b""), bytearray(bgzip(make_record(HETS)))
    last[-28 - 8] ^= 1  # the CRC-32 of the second block
    return first + bytes(last)


CASES = {
    "file_empty": Case(b"", 1, "empty"),
    "truncated": Case(bgzip(GOOD)[:-40], 1, "at byte 0"),
    "block_damaged": Case(break_block(), 1, "checksum"),
    "eof_block_missing": Case(bgzip(GOOD, end=b""), 1, "end-of-file block"),
    "plain_gzip": Case(gzip_plainly(GOOD), 1, "plain gzip"),
    "not_compressed": Case(GOOD.encode(), 1, "not compressed"),
    "not_vcf": Case(bgzip("chrom,pos\n20,1000\n"), 1, "chrom,pos"),
    "line_too_long": Case(bgzip(GOOD.encode() + bytes(17 << 20)), 1, "16 MiB"),
    "header_too_large": Case(bgzip("##fileformat=VCFv4.2\n" + ("##x=" + "y" * 9_995 + "\n") * 1_800), 1, "16 MiB"),
    "column_line_missing": Case(bgzip("##fileformat=VCFv4.2\n" + make_record(HETS)), 1, "line 2 begins with 20\\t1000"),
    "column_line_invalid": Case(bgzip(GOOD.replace("#CHROM\tPOS", "#CHROM POS")), 1, "line 3"),
    "too_many_samples": Case(bgzip(make_header(["a"] * 1_000_001)), 1_000_001, "1,000,001 samples"),
    "no_records": Case(bgzip(make_vcf([])), 1, "no variant"),
    "missing_columns": Case(bgzip(GOOD + "\n20 4000 . A G\n"), 2, "first: line 7, an empty line"),
    "column_count": Case(
        bgzip(GOOD + make_record(["0/1"] * 19) + make_record(["0/1"] * 21)), 2, "29: 2; first: line 7"
    ),
    "header_in_body": Case(bgzip(GOOD + make_header(name_samples(20))), 3, "3; first: line 7"),
    "crlf_line_ends": Case(bgzip(GOOD.replace("\n", "\r\n")), 3, "3; first: line 4"),
    "invalid_position": Case(
        bgzip(at(("20", 5), ("20", "1e5"), ("20", 0), ("20", -7), ("20", ""))), 4, "line 4, POS 1e5"
    ),
    "unsorted": Case(bgzip(at(("20", 5), ("20", 9), ("20", 7), ("20", 6))), 2, "line 5, 20:7 follows 9"),
    "chromosome_blocks": Case(bgzip(at(("1", 5), ("2", 9), ("1", 7))), 1, "first: 1 at line 5"),
    "too_many_blocks": Case(bgzip(at(*(("1", 5), ("2", 5)) * 2_001)), 1, "4,000 times"),
    "mixed_contig_style": Case(bgzip(at(("20", 5), ("chr21", 9))), 1, "chr21 and 20"),
    "contig_style_mismatch": Case(
        bgzip(make_vcf(meta=["##reference=GRCh38"])), 1, "hg38, for which sites accept names with chr"
    ),
    "unsupported_chromosome": Case(bgzip(at(("Y", 9_000))), 1, "Chromosome Y"),
    "unknown_contig": Case(bgzip(at(("20", 5), ("GL000191.1", 9), ("HLA-A", 9))), 2, "GL000191.1 at line 4"),
    "several_chromosomes": Case(bgzip(at(("1", 5), ("2", 9), ("3", 7))), 3, "3 chromosomes (1, 2, 3)"),
    "build_unknown": Case(bgzip(make_vcf(meta=["##contig=<ID=20,length=62435964>"])), 1, "neither hg19 nor hg38"),
    "build_from_names": Case(bgzip(make_vcf(meta=[])), 1, "hg19"),
    "build_contradiction": Case(bgzip(make_vcf(meta=[CONTIG_20["hg19"], "##reference=hg38.fa"])), 1, "hg38.fa"),
    "position_beyond_end": Case(
        bgzip(make_vcf([make_record(HETS, "20", 63_025_520), make_record(HETS, "20", 63_025_521)])),
        1,
        "line 5, 20:63,025,521, where hg19 ends at 63,025,520",
    ),
    "no_samples": Case(bgzip(make_vcf(["20\t5\t.\tA\tG\t.\tPASS\t.\n"], samples=0)), 1, "no sample"),
    "few_samples": Case(bgzip(make_vcf(samples=19)), 19, "19 sample(s)"),
    "duplicate_samples": Case(bgzip(make_header([*name_samples(20), "S3", "S3", "S7"])), 2, "first: S3"),
    "empty_sample_name": Case(bgzip(make_header([*name_samples(20), "", "S20"])), 1, "column 30"),
    "gt_not_first": Case(with_calls(["7:0/1"] * 20, ["5"] * 20, form="DP:GT"), 2, "line 4, FORMAT DP:GT"),
    "malformed_genotype": Case(with_calls([*HETS[:18], "0/x", "yes"], [*HETS[:19], ""]), 3, "line 4, 0/x"),
    "polyploid_genotype": Case(with_calls([*HETS[:19], "0/0/1"]), 1, "line 4, 0/0/1"),
    "mixed_phasing": Case(
        with_calls(["0|1"] * 20, ["0|1", "0/1"] * 10), 10, "30 with | and 10 with /; first / at line 5"
    ),
    "missing_unphased": Case(with_calls(["0|1"] * 20, ["0|1", "./."] * 10), 10, "10; first: line 5"),
    "phasing_unknown": Case(with_calls(["0", "1", ".", ".|."] * 5), 1, "diploid"),
}


@pytest.mark.parametrize("code", CASES)
def test_issue_is_reported_with_count_place_and_remedy(tmp_path: Path, code: str) -> None:
    case = CASES[code]
    issue = find_issue(check_bytes(tmp_path, case.data), code)
    assert issue.count == case.number
    assert case.words in issue.message
    assert issue.fix
    assert "{" not in issue.message + issue.fix


def test_every_code_has_a_case() -> None:
    assert set(CASES) == set(KINDS)


@pytest.mark.parametrize("code", CASES)
def test_verdict_follows_the_worst_severity(tmp_path: Path, code: str) -> None:
    report = check_bytes(tmp_path, CASES[code].data)
    severities = {issue.severity for issue in report.issues}
    expected = "fail" if "error" in severities else "warn" if "warning" in severities else "pass"
    assert report.verdict == expected
    assert [issue.severity for issue in report.issues] == sorted(
        (issue.severity for issue in report.issues), key=["error", "warning", "info"].index
    )


def test_good_file_passes_without_an_issue(tmp_path: Path) -> None:
    report = check_bytes(tmp_path, bgzip(GOOD))
    assert report.model_dump() == {
        "verdict": "pass",
        "build": "hg19",
        "build_evidence": [evidence.model_dump() for evidence in report.build_evidence],
        "chromosomes": ["20"],
        "samples": 20,
        "variants": 3,
        "phased": False,
        "has_chr_prefix": False,
        "sites_per_mb": {"20": [3]},
        "issues": [],
    }


def test_file_with_many_faults_tells_all_of_them(tmp_path: Path) -> None:
    text = make_vcf([make_record(["0|1"] * 3, "chr2", 9), make_record(["0/1"] * 3, "2", 7)], samples=3, meta=HG38)
    codes = list_codes(check_bytes(tmp_path, gzip_plainly(text)))
    expected = {"plain_gzip", "mixed_contig_style", "several_chromosomes", "few_samples", "mixed_phasing"}
    assert set(codes) == expected
