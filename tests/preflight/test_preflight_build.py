"""The build, from the strongest evidence that the file offers."""

from pathlib import Path

import pytest

from tests.preflight.vcf_files import CONTIG_20, check_text, list_codes, make_record, make_vcf

CALLS = ["0/1"] * 20
HG19_ONLY, HG38_ONLY, NEITHER = 248_956_423, 63_025_521, 250_000_000


def make_file(chromosome: str, position: int, *meta: str) -> str:
    return make_vcf([make_record(CALLS, chromosome, position)], meta=list(meta))


@pytest.mark.parametrize(
    ("text", "build", "codes"),
    [
        (make_file("20", 5, CONTIG_20["hg19"]), "hg19", []),
        (make_file("chr20", 5, CONTIG_20["hg38"]), "hg38", []),
        (make_file("20", 5, "##reference=file:///data/human_g1k_v37.fasta"), "hg19", []),
        (make_file("chr20", 5, "##contig=<ID=chr20,assembly=GRCh38.p13>"), "hg38", []),
        (make_file("1", HG19_ONLY), "hg19", []),
        (make_file("chr20", HG38_ONLY), "hg38", []),
        (make_file("20", 5), "hg19", ["build_from_names"]),
        (make_file("chrX", 5), "hg38", ["build_from_names"]),
        (make_file("20", 5, "##contig=<ID=20,length=2147483647>"), "hg19", ["build_from_names"]),
        (make_file("20", 5, "##contig=<ID=20,length=3000000>"), "hg19", ["build_from_names"]),
        (make_file("chr20", 5, "##contig=<ID=chr20,length=66210255>"), None, ["build_unknown"]),  # T2T-CHM13
        (make_file("scaffold_7", 5), None, ["unknown_contig", "build_unknown"]),
        (make_file("1", NEITHER), None, ["position_beyond_end"]),
        (make_file("20", HG38_ONLY, CONTIG_20["hg19"]), None, ["position_beyond_end"]),
        (make_file("20", HG38_ONLY), "hg38", ["contig_style_mismatch"]),
        (make_file("chr20", 5, "##reference=hs37d5.fa"), "hg19", ["contig_style_mismatch"]),
        (make_file("20", 5, CONTIG_20["hg19"], CONTIG_20["hg38"]), "hg19", ["build_contradiction"]),
        (make_file("20", 5, CONTIG_20["hg19"], "##reference=GRCh38"), "hg19", ["build_contradiction"]),
        (make_file("MT", 16_569), "hg19", ["build_from_names"]),
        (make_file("23", 155_270_560, "##reference=b37"), "hg19", []),
    ],
)
def test_build_and_what_is_said_about_it(tmp_path: Path, text: str, build: str | None, codes: list[str]) -> None:
    report = check_text(tmp_path, text)
    assert (report.build, list_codes(report)) == (build, codes)


def test_evidence_is_listed_with_its_source(tmp_path: Path) -> None:
    report = check_text(tmp_path, make_file("chr20", HG38_ONLY, CONTIG_20["hg38"], "##reference=GRCh38.fa"))
    assert [(one.source, one.build) for one in report.build_evidence] == [
        ("contig_lengths", "hg38"),
        ("header_text", "hg38"),
        ("positions", "hg38"),
        ("chromosome_names", "hg38"),
    ]
    assert "63025521" in report.build_evidence[2].detail


@pytest.mark.parametrize(
    ("names", "prefix"), [(["20"], False), (["chr20"], True), (["20", "chr21"], None), (["K7"], None)]
)
def test_prefix_is_told_unless_mixed_or_foreign(tmp_path: Path, names: list[str], prefix: bool | None) -> None:
    report = check_text(tmp_path, make_vcf([make_record(CALLS, name) for name in names]))
    assert (report.chromosomes, report.has_chr_prefix) == (names, prefix)
