"""The issue codes with their severity and words, and the log that counts them.

Severities follow what sites of the Michigan family refuse (imputationserver2, input validation): what every site
refuses is an error, what depends on the site or the chosen parameters a warning.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from microservices.preflight.report import Issue, Severity


class IssueKind(NamedTuple):
    severity: Severity
    message: str
    fix: str


REPACK = "Compress it with bgzip: gunzip -c your.vcf.gz | bgzip > fixed.vcf.gz"
TRANSFER = (
    "Copy or upload the file again and compare its checksum with the original's; if that is damaged, write it anew."
)
REWRITE = (
    "Write the file anew with a program that follows the VCF specification, "
    "for example: bcftools view -Oz -o fixed.vcf.gz your.vcf.gz"
)
SPLIT = (
    "Make one file per chromosome: "
    "bcftools index your.vcf.gz && bcftools view -r {first} -Oz -o {first}.vcf.gz your.vcf.gz"
)
RENAME = (
    "Rename the chromosomes with a table of old and new names, one pair per line: "
    "bcftools annotate --rename-chrs names.txt -Oz -o renamed.vcf.gz your.vcf.gz"
)
SORT = "Sort it: bcftools sort -Oz -o sorted.vcf.gz your.vcf.gz"
REBUILD = (
    "Find out which build the positions belong to; correct the header, or lift the data over with the right chain file."
)

KINDS: dict[str, IssueKind] = {
    # the container
    "file_empty": IssueKind("error", "The file is empty.", "Upload the file again."),
    "truncated": IssueKind("error", "The file ends in the middle of a compressed block, at byte {offset}.", TRANSFER),
    "block_damaged": IssueKind(
        "error", "The compressed block at byte {offset} is damaged: {reason}. Nothing behind it was read.", TRANSFER
    ),
    "eof_block_missing": IssueKind(
        "error",
        "The BGZF end-of-file block is missing: the file was probably cut off.",
        TRANSFER + " If it is complete: bcftools view -Oz -o fixed.vcf.gz your.vcf.gz",
    ),
    "plain_gzip": IssueKind(
        "error", "The file is compressed with plain gzip, which cannot be indexed; sites need bgzip.", REPACK
    ),
    "not_compressed": IssueKind("error", "The VCF is not compressed; sites need bgzip.", "Compress it: bgzip your.vcf"),
    "not_vcf": IssueKind(
        "error",
        "This is not a VCF: it begins with {start} and not with ##fileformat=VCF.",
        "Upload a VCF compressed with bgzip. From BCF: bcftools view -Oz -o your.vcf.gz your.bcf; "
        "from PLINK: plink2 --bfile your --export vcf bgz",
    ),
    "line_too_long": IssueKind("error", "A line is longer than {limit} MiB; reading stopped there.", REWRITE),
    # the header
    "header_too_large": IssueKind(
        "error",
        "The header is larger than {limit} MiB; reading stopped there.",
        "Remove header lines: bcftools reheader",
    ),
    "column_line_missing": IssueKind(
        "error", "The line #CHROM POS ID … is missing; line {line} begins with {start}.", REWRITE
    ),
    "column_line_invalid": IssueKind(
        "error",
        "The column line (line {line}) is wrong: it begins with {start}; names must be #CHROM POS ID REF ALT QUAL "
        "FILTER INFO FORMAT, divided by tabs.",
        REWRITE,
    ),
    "too_many_samples": IssueKind(
        "error",
        "The file has {count} samples; more than {limit} cannot be checked.",
        "Split the samples: bcftools view -S",
    ),
    "no_records": IssueKind("error", "The file has a header and no variant.", "Upload a file that has records."),
    # single lines
    "missing_columns": IssueKind(
        "error",
        "Lines with fewer than the 8 tab-divided columns of a record: {count}; first: line {line}, {start}.",
        REWRITE,
    ),
    "column_count": IssueKind(
        "error",
        "Records whose number of columns is not the header's {expected}: {count}; first: line {line}.",
        REWRITE,
    ),
    "header_in_body": IssueKind(
        "error",
        "Header lines between the records: {count}; first: line {line}. Were files joined with cat?",
        "Join files with bcftools concat instead.",
    ),
    "crlf_line_ends": IssueKind(
        "warning",
        "Lines that end as on Windows (CR LF): {count}; first: line {line}. Some programs take the CR for data.",
        "Remove it: bgzip -dc your.vcf.gz | tr -d '\\r' | bgzip > fixed.vcf.gz",
    ),
    "invalid_position": IssueKind(
        "error",
        "Records whose position is not a whole number above 0: {count}; first: line {line}, POS {position}.",
        REWRITE,
    ),
    # order
    "unsorted": IssueKind(
        "error",
        "Positions go backwards {count}×; first: line {line}, {chromosome}:{position} follows {previous}.",
        SORT,
    ),
    "chromosome_blocks": IssueKind(
        "error",
        "Chromosomes that come again after another one: {count}×; first: {chromosome} at line {line}.",
        SORT,
    ),
    "too_many_blocks": IssueKind(
        "error", "The chromosome changes more than {limit} times; reading stopped at line {line}.", SORT
    ),
    # chromosomes
    "mixed_contig_style": IssueKind(
        "error", "Chromosome names with and without chr are mixed: {with_chr} and {without_chr}.", RENAME
    ),
    "contig_style_mismatch": IssueKind(
        "error",
        "The data are {build}, for which sites accept names {wanted} only; here: {chromosome}.",
        RENAME,
    ),
    "unsupported_chromosome": IssueKind(
        "error",
        "Chromosome {chromosome} is not imputed by the sites: they take 1–22, X and MT.",
        "Keep what can be imputed: "
        "bcftools index your.vcf.gz && bcftools view -r CHROMOSOME -Oz -o kept.vcf.gz your.vcf.gz",
    ),
    "unknown_contig": IssueKind(
        "error",
        "Contigs that are no human chromosome: {count}; first: {chromosome} at line {line}. Sites take 1–22, X and MT.",
        RENAME + ". Or leave the others out: bcftools view -r CHROMOSOME",
    ),
    "several_chromosomes": IssueKind(
        "error", "The file holds {count} chromosomes ({names}); sites take one per file.", SPLIT
    ),
    # build
    "build_unknown": IssueKind(
        "warning",
        "The genome build cannot be told: {reason}.",
        "Add contig lines with lengths: bcftools reheader --fai reference.fa.fai -o fixed.vcf.gz your.vcf.gz",
    ),
    "build_from_names": IssueKind(
        "info",
        "Only the chromosome names tell that this is {build}; that is weak evidence.",
        "Make sure that it is right; contig lines with lengths would prove it: "
        "bcftools reheader --fai reference.fa.fai -o fixed.vcf.gz your.vcf.gz",
    ),
    "build_contradiction": IssueKind("warning", "The header contradicts itself about the build: {details}.", REBUILD),
    "position_beyond_end": IssueKind(
        "error",
        "Positions beyond the end of the chromosome in {builds}: {count}; first: line {line}, "
        "{chromosome}:{position}, where {builds} ends at {length}.",
        REBUILD,
    ),
    # samples and genotypes
    "no_samples": IssueKind(
        "error", "The file has no sample: there are no genotypes to impute from.", "Upload a VCF with genotypes."
    ),
    "few_samples": IssueKind(
        "warning",
        "The file has {count} sample(s); many sites ask for at least {minimum}.",
        "Add samples, or choose a site with a lower minimum.",
    ),
    "duplicate_samples": IssueKind(
        "error",
        "Sample names that occur more than once: {count}; first: {name}.",
        "Give every sample its own name: bcftools reheader -s names.txt -o fixed.vcf.gz your.vcf.gz",
    ),
    "empty_sample_name": IssueKind(
        "error",
        "Samples without a name: {count}; first: column {column} of the header.",
        "Name every sample: bcftools reheader -s names.txt -o fixed.vcf.gz your.vcf.gz",
    ),
    "gt_not_first": IssueKind(
        "error",
        "Records whose FORMAT does not begin with GT: {count}; first: line {line}, FORMAT {format}.",
        "Sites need genotypes, first in FORMAT. From likelihoods: bcftools +tag2tag your.vcf.gz -- --PL-to-GT; else: "
        + REWRITE,
    ),
    "malformed_genotype": IssueKind(
        "error", "Genotypes that cannot be read: {count}; first: line {line}, {text}.", REWRITE
    ),
    "polyploid_genotype": IssueKind(
        "error",
        "Genotypes with more than two alleles: {count}; first: line {line}, {text}.",
        "Sites impute haploid and diploid calls only: call again with ploidy 2, or leave these samples out.",
    ),
    "mixed_phasing": IssueKind(
        "warning",
        "Phased and unphased genotypes are mixed: {phased} with | and {count} with /; first / at line {line}.",
        "Let the site phase (eagle or beagle); without phasing it would refuse the file.",
    ),
    "missing_unphased": IssueKind(
        "warning",
        "The calls are phased, but missing ones are written with a slash: {count}; first: line {line}. "
        "Sites that are asked not to phase take any slash as unphased.",
        "Write them as .|.: bcftools view your.vcf.gz | sed '/^#/!s#\\./\\.#.|.#g' | bgzip > fixed.vcf.gz",
    ),
    "phasing_unknown": IssueKind(
        "info", "No diploid call tells whether the genotypes are phased.", "Nothing to do for haploid data."
    ),
}

CUT_SHORT = ("truncated", "block_damaged", "eof_block_missing", "line_too_long", "too_many_blocks")
RANKS: dict[Severity, int] = {"error": 0, "warning": 1, "info": 2}


@dataclass
class IssueLog:
    """Counts per code; the words tell the case on the smallest line, or else the first."""

    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, dict[str, object]] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def add(self, code: str, count: int = 1, *, line: int = 0, **facts: object) -> None:
        self.counts[code] = self.counts.get(code, 0) + count
        if code not in self.facts or line < self.lines[code]:
            self.facts[code], self.lines[code] = {**facts, "line": line}, line

    def has(self, *codes: str) -> bool:
        return any(code in self.counts for code in codes)

    def list_issues(self) -> list[Issue]:
        """The worst first, then in the order of KINDS."""
        issues = [self._phrase(code) for code in KINDS if code in self.counts]
        return sorted(issues, key=lambda issue: RANKS[issue.severity])

    def _phrase(self, code: str) -> Issue:
        kind, count = KINDS[code], self.counts[code]
        facts = {**self.facts[code], "count": f"{count:,}"}
        message, fix = kind.message.format_map(facts), kind.fix.format_map(facts)
        return Issue(code=code, severity=kind.severity, message=message, count=count, fix=fix)
