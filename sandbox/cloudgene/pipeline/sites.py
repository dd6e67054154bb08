"""Quality control of sites: what is excluded, what only the upload has, what goes on to imputation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sandbox.panel import PanelContig
from sandbox.vcf import MISSING, Record

MIN_CALL_RATE = 0.9
_COMPLEMENT = {"A": "T", "T": "A", "C": "G", "G": "C"}


class Verdict(StrEnum):
    """Why a site is counted; the values are the words of the statistics."""

    MATCH = "Match"
    SWITCH = "Allele switch"
    FLIP = "Strand flip"
    FLIP_AND_SWITCH = "Strand flip and allele switch"
    AMBIGUOUS = "A/T, C/G genotypes"
    FILTERED = "Filter flag set"
    INVALID = "Invalid alleles"
    MULTIALLELIC = "Multiallelic sites"
    DUPLICATE = "Duplicated sites"
    NO_SNP = "NonSNP sites"
    MONOMORPHIC = "Monomorphic sites"
    MISMATCH = "Allele mismatch"
    CALL_RATE = "SNPs call rate < 90%"
    TYPED_ONLY = "Typed only"


@dataclass
class Judgement:
    """The sites of all uploads, sorted out; `frequencies` pairs the upload's with the panel's."""

    counts: Counter[str] = field(default_factory=Counter)
    matched: list[Record] = field(default_factory=list)
    typed_only: list[Record] = field(default_factory=list)
    excluded: list[tuple[Record, Verdict]] = field(default_factory=list)
    frequencies: list[tuple[float, float]] = field(default_factory=list)
    over_half: int = 0

    @property
    def overlap(self) -> float:
        """Percent of the sites fit for comparison that the panel has; those with other alleles count as had."""
        had = sum(self.counts[verdict] for verdict in _IN_PANEL)
        return 100 * had / (had + len(self.typed_only)) if had else 0.0


_IN_PANEL = (Verdict.MATCH, Verdict.SWITCH, Verdict.FLIP, Verdict.FLIP_AND_SWITCH, Verdict.MISMATCH)


def judge_sites(judgement: Judgement, records: Sequence[Record], panel: PanelContig | None, population: str) -> None:
    """Adds one file's records to the judgement; `panel` is None where the panel lacks the chromosome."""
    known = _panel_sites(panel, population) if panel else {}
    seen: set[tuple[int, str, str]] = set()
    for record in records:
        key = (record.position, record.ref, record.alts[0] if record.alts else "")
        verdict = Verdict.DUPLICATE if key in seen else _judge_alone(record)
        seen.add(key)
        if verdict is None:
            _judge_against_panel(judgement, record, known.get(record.position, []))
        else:
            judgement.counts[verdict] += 1
            judgement.excluded.append((record, verdict))


def _panel_sites(panel: PanelContig, population: str) -> dict[int, list[tuple[str, str, float]]]:
    sites: dict[int, list[tuple[str, str, float]]] = {}
    frequencies = panel.frequencies(population.lower()).tolist()
    for (position, ref, alt), frequency in zip(panel.keys, frequencies, strict=True):
        sites.setdefault(position, []).append((ref.decode(), alt.decode(), frequency))
    return sites


def _judge_alone(record: Record) -> Verdict | None:
    """What is wrong with a site whatever the panel says; the first fault counts."""
    alleles = [record.ref, *record.alts]
    called = [allele for allele in record.alleles if allele != MISSING]
    faults = {
        Verdict.FILTERED: any(name != "PASS" for name in record.filters),
        Verdict.INVALID: any(set(allele) - set("ACGT") for allele in alleles) or not record.alts,
        Verdict.MULTIALLELIC: len(record.alts) > 1,
        Verdict.NO_SNP: any(len(allele) != 1 for allele in alleles),
        Verdict.MONOMORPHIC: len(set(called)) < 2,
        Verdict.CALL_RATE: len(called) < MIN_CALL_RATE * len(record.alleles),
    }
    return next((verdict for verdict, is_at_fault in faults.items() if is_at_fault), None)


def _judge_against_panel(judgement: Judgement, record: Record, known: list[tuple[str, str, float]]) -> None:
    called = [allele for allele in record.alleles if allele != MISSING]
    frequency = sum(called) / len(called)
    judgement.over_half += frequency > 0.5
    if not known:
        judgement.typed_only.append(record)
        return
    verdicts = {_compare_alleles(record, ref, alt): expected for ref, alt, expected in known}
    verdict = Verdict.MATCH if Verdict.MATCH in verdicts else next(iter(verdicts))
    judgement.counts[verdict] += 1
    if verdict is not Verdict.MATCH:
        judgement.excluded.append((record, verdict))
        return
    judgement.counts[Verdict.AMBIGUOUS] += _COMPLEMENT[record.ref] == record.alts[0]
    judgement.matched.append(record)
    judgement.frequencies.append((frequency, verdicts[verdict]))


def _compare_alleles(record: Record, ref: str, alt: str) -> Verdict:
    """A swapped A/T or C/G site could be either fault; it is called a switch."""
    own = (record.ref, record.alts[0])
    flipped = (_COMPLEMENT[own[0]], _COMPLEMENT[own[1]])
    faults = {
        (ref, alt): Verdict.MATCH,
        (alt, ref): Verdict.SWITCH,
    }
    if own in faults:
        return faults[own]
    mirrored = {(ref, alt): Verdict.FLIP, (alt, ref): Verdict.FLIP_AND_SWITCH}
    return mirrored.get(flipped, Verdict.MISMATCH)
