"""How well a run was imputed, as the site itself estimates it: tallies over the sites in its results.

A site's `*.info.gz` is a VCF without samples that says for each site INFO/R2, MAF (or AF) and whether it was TYPED or
IMPUTED, as Minimac writes it. Where none came, the imputed VCF itself says so, in Minimac's words or in Beagle's (DR2,
and the flag IMP). It is read while it passes by on its way to file_manager, in constant memory; one that cannot be
read has no tally, and that keeps no result from coming home.
"""

import io
import math
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from microservices.backends.inflating import DamagedGzipError, Inflater

BIN_EDGES = (0.0, 0.001, 0.005, 0.01, 0.05, 0.5)
"""Minor allele frequencies: a bin holds what is over its lower edge, up to its upper one."""
WINDOW = 1_000_000
"""Base pairs: where results lie is noted by windows of this size."""
# Bytes that the first eight fields of a line may have; genotypes after them are passed over.
_HEAD_LIMIT = 1 << 16
_MOST_CHROMOSOMES = 1000
_LONGEST_NAME = 200
# What a BCF can hold (VCF specification, section 1.6.1).
_LAST_POSITION = (1 << 31) - 1
# Minimac's estimates may come out a little above 1; what is far outside is no R², and would spoil a mean.
_R2_MOST = 2
_TYPED = re.compile(rb"(?:^|;)TYPED(?:_ONLY)?(?:;|$)")
_IMPUTED = re.compile(rb"(?:^|;)IMP(?:;|$)")
_FIGURES = re.compile(rb"(?:^|;)(AF|MAF|R2|DR2)=([^;,]*)")


class UnreadableError(Exception):
    """The file is not what its name says."""


@dataclass
class BinTally:
    sites: int = 0
    r2_sites: int = 0
    r2_sum: float = 0.0

    @property
    def mean_r2(self) -> float | None:
        return self.r2_sum / self.r2_sites if self.r2_sites else None


@dataclass
class Coverage:
    """Where on a chromosome results lie (1-based positions); `windows` are the numbers of those with results."""

    sites: int
    start: int
    end: int
    windows: list[int] = field(default_factory=list)

    def note_window(self, number: int) -> None:
        if not self.windows or (self.windows[-1] != number and number not in self.windows):
            self.windows.append(number)


@dataclass
class Tally:
    """`bins` are of imputed sites that vary: a typed site's R² says nothing of the imputation.

    `of_genotypes`: read from a VCF with samples, which may be another result than the imputed one.
    """

    sites: int = 0
    typed: int = 0
    bins: list[BinTally] = field(default_factory=lambda: [BinTally() for _ in BIN_EDGES[1:]])
    chromosomes: dict[str, Coverage] = field(default_factory=dict)
    of_genotypes: bool = False

    @property
    def tells_r2(self) -> bool:
        return any(part.r2_sites for part in self.bins)

    def add_site(self, chromosome: str, position: int, info: bytes, *, flags_imputed: bool = False) -> None:
        """`flags_imputed`: the file marks what was imputed, and not what was typed."""
        self.sites += 1
        place = self.chromosomes.get(chromosome) or self._open(chromosome, position)
        place.sites += 1
        place.start, place.end = min(place.start, position), max(place.end, position)
        place.note_window((position - 1) // WINDOW)
        if (b"TYPED" in info and _TYPED.search(info)) or (flags_imputed and not _IMPUTED.search(info)):
            self.typed += 1
            return
        figures = dict(_FIGURES.findall(info))
        maf = _read_maf(figures)
        if maf is None or maf <= 0:
            return
        tally = self.bins[bisect_left(BIN_EDGES, maf) - 1]
        tally.sites += 1
        r2 = _read_number(figures.get(b"R2", figures.get(b"DR2")))
        if r2 is not None and 0 <= r2 <= _R2_MOST:
            tally.r2_sites += 1
            tally.r2_sum += r2

    def _open(self, chromosome: str, position: int) -> Coverage:
        return self.chromosomes.setdefault(chromosome, Coverage(0, position, position))

    def add(self, other: "Tally") -> None:
        self.sites += other.sites
        self.typed += other.typed
        for mine, theirs in zip(self.bins, other.bins, strict=True):
            mine.sites += theirs.sites
            mine.r2_sites += theirs.r2_sites
            mine.r2_sum += theirs.r2_sum
        for name, coverage in other.chromosomes.items():
            place = self._open(name, coverage.start)
            place.sites += coverage.sites
            place.start, place.end = min(place.start, coverage.start), max(place.end, coverage.end)
            for number in coverage.windows:
                place.note_window(number)


def add_up(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def choose_accuracy(tallies: Iterable[Tally]) -> list[Tally]:
    """Without the VCFs that tell no R² where others do: they are of something else, such as the phased input."""
    known = list(tallies)
    if not any(tally.tells_r2 for tally in known):
        return known
    return [tally for tally in known if tally.tells_r2 or not tally.of_genotypes]


def read_tally(stored: dict[str, Any]) -> Tally:
    """A tally from what `dataclasses.asdict` made of it."""
    return Tally(
        sites=stored["sites"],
        typed=stored["typed"],
        bins=[BinTally(**part) for part in stored["bins"]],
        chromosomes={name: Coverage(**part) for name, part in stored["chromosomes"].items()},
        of_genotypes=stored.get("of_genotypes", False),
    )


def tells_accuracy(filename: str, siblings: Iterable[str]) -> bool:
    """Whether a result is to be read: an `*.info.gz`, or an imputed VCF where no such file came with it."""
    if filename.endswith(".info.gz"):
        return True
    is_vcf = filename.endswith(".vcf.gz") and "empiricaldose" not in filename.lower()
    return is_vcf and not any(name.endswith(".info.gz") for name in siblings)


class InfoStream(io.RawIOBase):
    """A gzipped list of sites on its way elsewhere; once it is read to its end, `tally` is what was in it, or None."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self._tally = Tally()
        self._inflater = Inflater()
        self._line = b""
        self._flags_imputed = False
        self._readable = True

    @property
    def tally(self) -> Tally | None:
        return self._tally if self._readable and self._tally.sites else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(len(buffer))
        if self._readable:
            try:
                self._read(data)
            except (UnreadableError, DamagedGzipError, ValueError):
                self._readable = False
        buffer[: len(data)] = data
        return len(data)

    def _read(self, data: bytes) -> None:
        for text in self._inflater.feed(data):
            self._take(text)
        if not data:
            self._inflater.finish()
            self._take(b"\n")

    def _take(self, text: bytes) -> None:
        *lines, rest = (self._line + text).split(b"\n")
        self._line = rest if len(rest) <= _HEAD_LIMIT else _cut_line(rest)
        for line in lines:
            if line.startswith(b"#"):
                self._take_header(line)
            elif line:
                self._take_site(line)

    def _take_header(self, line: bytes) -> None:
        self._flags_imputed |= line.startswith(b"##INFO=<ID=IMP,")
        self._tally.of_genotypes |= line.startswith(b"#CHROM") and line.count(b"\t", 0, _HEAD_LIMIT) > 8

    def _take_site(self, line: bytes) -> None:
        fields = line.rstrip(b"\r").split(b"\t", 8)
        if len(fields) < 8 or len(self._tally.chromosomes) > _MOST_CHROMOSOMES:
            raise UnreadableError
        chromosome, position, info = fields[0].decode("ascii"), int(fields[1]), fields[7]
        if not chromosome.isprintable() or len(chromosome) > _LONGEST_NAME or not 0 <= position <= _LAST_POSITION:
            raise UnreadableError
        self._tally.add_site(chromosome, position, info, flags_imputed=self._flags_imputed)


def _cut_line(line: bytes) -> bytes:
    """The part of an unfinished line that is looked at: without most genotypes, of which there may be a million."""
    head = line[:_HEAD_LIMIT]
    if head.count(b"\t") < 8 and not head.startswith(b"#"):
        raise UnreadableError
    return head


def _read_maf(info: dict[bytes, bytes]) -> float | None:
    """The minor allele's frequency; from the alternate allele's where a site says only that."""
    given = _read_number(info.get(b"MAF"))
    frequency = _read_number(info.get(b"AF")) if given is None else given
    return None if frequency is None or not 0 <= frequency <= 1 else min(frequency, 1 - frequency)


def _read_number(value: bytes | None) -> float | None:
    """None for what is missing (`.`) or no number."""
    try:
        number = float(value) if value else math.nan
    except ValueError:
        return None
    return number if math.isfinite(number) else None
