"""The genome build from what the file offers, strongest evidence first: contig lengths, words in the header,
positions that a build does not have, and the prefix chr (hg38 with, hg19 without) as the weakest."""

import re
from collections.abc import Iterator

from microservices.preflight.genome import LENGTHS, name_chromosome
from microservices.preflight.header import Header
from microservices.preflight.issues import IssueLog
from microservices.preflight.records import Body
from microservices.preflight.report import Build, BuildEvidence, quote_bytes

BUILDS: tuple[Build, Build] = ("hg19", "hg38")
WORDS: dict[Build, re.Pattern[bytes]] = {
    "hg19": re.compile(rb"(?<![a-z0-9])(grch37|hg19|hs37|b37|human_g1k_v37)", re.IGNORECASE),
    "hg38": re.compile(rb"(?<![a-z0-9])(grch38|hg38|hs38|b38)", re.IGNORECASE),
}
# A contig this near to a chromosome's length is that chromosome of another build; farther off it is a region or
# a placeholder such as 2147483647.
OTHER_BUILD_NEARNESS = 0.1


def judge_build(
    header: Header, body: Body, has_chr_prefix: bool | None, log: IssueLog
) -> tuple[Build | None, list[BuildEvidence]]:
    """The build, None when it cannot be told, and all evidence; contradictions are logged."""
    said = [*weigh_lengths(header), *weigh_words(header)]
    evidence = [*said, *weigh_positions(body), *weigh_names(has_chr_prefix)]
    builds = {one.build for one in said}
    if len(builds) > 1:
        log.add("build_contradiction", details="; ".join(one.detail for one in said))
    claimed = next((one.build for one in said if one.build), None)
    build = check_claim(claimed, body, log) if claimed else infer_build(bool(said), body, has_chr_prefix, log)
    if build and has_chr_prefix is not None and has_chr_prefix != (build == "hg38"):
        wanted = "with chr" if build == "hg38" else "without chr"
        log.add("contig_style_mismatch", build=build, wanted=wanted, chromosome=quote_bytes(next(iter(body.names))))
    return build, evidence


def weigh_lengths(header: Header) -> Iterator[BuildEvidence]:
    matches: dict[Build | None, list[str]] = {"hg19": [], "hg38": [], None: []}
    for name, length in header.contig_lengths.items():
        chromosome = name_chromosome(name)
        if chromosome is None or chromosome == "MT":
            continue
        known: dict[Build, int] = {build: LENGTHS[build][chromosome] for build in BUILDS}
        found = next((build for build in BUILDS if known[build] == length), None)
        if found or abs(length / known["hg38"] - 1) < OTHER_BUILD_NEARNESS:
            matches[found].append(f"{name} {length:,}")
    for build, contigs in matches.items():
        if contigs:
            where = f"is that of {build}" if build else "is that of neither hg19 nor hg38"
            detail = f"the length of {len(contigs)} contig(s) in the header {where} ({contigs[0]})"
            yield BuildEvidence(source="contig_lengths", build=build, detail=detail)


def weigh_words(header: Header) -> Iterator[BuildEvidence]:
    for build, pattern in WORDS.items():
        words = sorted(words for words in header.references if pattern.search(words))
        if words:
            detail = f"the header names {build}: {quote_bytes(words[0])}"
            yield BuildEvidence(source="header_text", build=build, detail=detail)


def weigh_positions(body: Body) -> Iterator[BuildEvidence]:
    for build, other in (BUILDS, BUILDS[::-1]):
        if beyond := body.beyond.get(build):
            where = f"{beyond.chromosome}:{beyond.position}"
            detail = f"{where} is beyond the chromosome's end in {build} ({beyond.length:,})"
            yield BuildEvidence(source="positions", build=None if other in body.beyond else other, detail=detail)


def weigh_names(has_chr_prefix: bool | None) -> Iterator[BuildEvidence]:
    if has_chr_prefix is not None:
        build: Build = "hg38" if has_chr_prefix else "hg19"
        detail = f"chromosome names {'with' if has_chr_prefix else 'without'} chr are the custom of {build}"
        yield BuildEvidence(source="chromosome_names", build=build, detail=detail)


def check_claim(claimed: Build, body: Body, log: IssueLog) -> Build | None:
    """The build that the header claims, unless the positions do not fit into it."""
    if claimed not in body.beyond:
        return claimed
    log_beyond(claimed, claimed, body, log)
    return None


def infer_build(is_foreign: bool, body: Body, has_chr_prefix: bool | None, log: IssueLog) -> Build | None:
    """The build of a header that claims none; `is_foreign`: its contig lengths fit neither build."""
    possible = [build for build in BUILDS if build not in body.beyond]
    if not possible:
        log_beyond("hg19", "both hg19 and hg38", body, log)
    elif is_foreign:
        log.add("build_unknown", reason="the contig lengths in the header are those of neither hg19 nor hg38")
    elif len(possible) == 1:
        return possible[0]
    elif has_chr_prefix is None:
        log.add("build_unknown", reason="the header has no contig lengths and names no reference")
    else:
        build: Build = "hg38" if has_chr_prefix else "hg19"
        log.add("build_from_names", build=build)
        return build
    return None


def log_beyond(build: Build, builds: str, body: Body, log: IssueLog) -> None:
    beyond = body.beyond[build]
    log.add(
        "position_beyond_end",
        beyond.count,
        builds=builds,
        line=beyond.line,
        chromosome=beyond.chromosome,
        position=f"{beyond.position:,}",
        length=f"{beyond.length:,}",
    )
