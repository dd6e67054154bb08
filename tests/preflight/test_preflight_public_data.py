"""Public genotype files, when IMPUTEHUB_TEST_DATA names the directory that holds `targets/` and `invalid/`."""

import os
from pathlib import Path

import pytest

from microservices.preflight import QualityReport, check_vcf

pytestmark = pytest.mark.skipif(
    "IMPUTEHUB_TEST_DATA" not in os.environ,
    reason="IMPUTEHUB_TEST_DATA is not set: the check is NOT compared with public genotype files",
)

# file: build, chromosome, samples, variants, phased, verdict
TARGETS = {
    "chr20.51samples.unphased.hg19": ("hg19", "20", 51, 7_824, False, "pass"),
    "chr20.51samples.phased.hg19": ("hg19", "20", 51, 7_824, True, "pass"),
    "chr20.51samples.unphased.hg38": ("hg38", "chr20", 51, 7_824, False, "pass"),
    "chr20.51samples.phased.hg38": ("hg38", "chr20", 51, 7_824, True, "pass"),
    "chr20.203samples.1to4Mb.hg19": ("hg19", "20", 203, 24_990, None, "warn"),
    "chr1.60samples.phased.hg19": ("hg19", "1", 60, 23_105, True, "pass"),
    "chr3.255samples.humanhap550.hg19": ("hg19", "3", 255, 37_852, True, "pass"),
    "chr1.41samples.905snps.hg19": ("hg19", "1", 41, 905, False, "pass"),
    "chr2.41samples.905snps.hg19": ("hg19", "2", 41, 905, False, "pass"),
    "chr3.41samples.905snps.hg19": ("hg19", "3", 41, 905, False, "pass"),
    "chr4.41samples.905snps.hg19": ("hg19", "4", 41, 905, False, "pass"),
    "chrX.26samples.unphased.hg19": ("hg19", "X", 26, 51_608, False, "pass"),
    "chrMT.5435samples.hg19": ("hg19", "MT", 5_435, 262, False, "pass"),
}
# file: the errors and warnings. The ploidy of chromosome X outside PAR is none of the six checks: its two files pass.
INVALID = {
    "unsorted": {"unsorted"},
    "unordered": {"plain_gzip", "unsorted"},
    "one-sample": {"few_samples"},
    "four-chromosomes-in-one-file": {"plain_gzip", "several_chromosomes", "column_count"},
    "header-only": {"no_records"},
    "zero-bytes": {"file_empty"},
    "chrX-mixed-genotypes": set(),
    "chrX-ploidy-ambiguous": set(),
    "chrY-not-supported": {"unsupported_chromosome", "position_beyond_end"},
}


def check_public(folder: str, name: str) -> QualityReport:
    return check_vcf(Path(os.environ["IMPUTEHUB_TEST_DATA"]) / folder / f"{name}.vcf.gz")


@pytest.mark.parametrize("name", TARGETS)
def test_target_is_told_as_its_authors_describe_it(name: str) -> None:
    report = check_public("targets", name)
    build, chromosome, *others = TARGETS[name]
    assert (report.build, report.chromosomes) == (build, [chromosome])
    assert [report.samples, report.variants, report.phased, report.verdict] == others
    assert report.has_chr_prefix == chromosome.startswith("chr")


@pytest.mark.parametrize("name", INVALID)
def test_invalid_file_has_the_issues_that_it_was_made_for(name: str) -> None:
    report = check_public("invalid", name)
    assert {issue.code for issue in report.issues if issue.severity != "info"} == INVALID[name]


def test_lists_cover_the_directory() -> None:
    root = Path(os.environ["IMPUTEHUB_TEST_DATA"])
    for folder, known in (("targets", TARGETS), ("invalid", INVALID)):
        assert {path.name.removesuffix(".vcf.gz") for path in (root / folder).iterdir()} == set(known)
