"""How well a run was imputed, as the site itself estimates it: tallies over its `*.info.gz` files.

Such a file is a VCF without samples that says for each site INFO/R2, MAF (or AF) and whether it was TYPED or IMPUTED,
as Minimac writes it. It is read while it passes by on its way to file_manager, in constant memory; one that cannot be
read has no tally, and that keeps no result from coming home.
"""

import io
import math
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from isal import isal_zlib

BIN_EDGES = (0.0, 0.001, 0.005, 0.01, 0.05, 0.5)
"""Minor allele frequencies: a bin holds what is over its lower edge, up to its upper one."""
_PIECE = 1 << 20
_LINE_LIMIT = 1 << 20
_MOST_CHROMOSOMES = 1000
_GZIP = 31  # window bits: a gzip member, with its CRC checked
_TYPED = re.compile(rb"(?:^|;)TYPED(?:_ONLY)?(?:;|$)")
_FIGURES = re.compile(rb"(?:^|;)(AF|MAF|R2)=([^;,]*)")


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
    """Where on a chromosome results lie (1-based positions)."""

    sites: int
    start: int
    end: int


@dataclass
class Tally:
    """`bins` are of imputed sites that vary: a typed site's R² says nothing of the imputation."""

    sites: int = 0
    typed: int = 0
    bins: list[BinTally] = field(default_factory=lambda: [BinTally() for _ in BIN_EDGES[1:]])
    chromosomes: dict[str, Coverage] = field(default_factory=dict)

    def add_site(self, chromosome: str, position: int, info: bytes) -> None:
        self.sites += 1
        self._cover(chromosome, 1, position, position)
        if _TYPED.search(info):
            self.typed += 1
            return
        figures = dict(_FIGURES.findall(info))
        maf = _read_maf(figures)
        if maf is None or maf <= 0:
            return
        tally = self.bins[bisect_left(BIN_EDGES, maf) - 1]
        tally.sites += 1
        r2 = _read_number(figures.get(b"R2"))
        if r2 is not None:
            tally.r2_sites += 1
            tally.r2_sum += r2

    def _cover(self, chromosome: str, sites: int, start: int, end: int) -> None:
        known = self.chromosomes.get(chromosome)
        if known is None:
            self.chromosomes[chromosome] = Coverage(sites, start, end)
            return
        known.sites += sites
        known.start, known.end = min(known.start, start), max(known.end, end)

    def add(self, other: "Tally") -> None:
        self.sites += other.sites
        self.typed += other.typed
        for mine, theirs in zip(self.bins, other.bins, strict=True):
            mine.sites += theirs.sites
            mine.r2_sites += theirs.r2_sites
            mine.r2_sum += theirs.r2_sum
        for name, coverage in other.chromosomes.items():
            self._cover(name, coverage.sites, coverage.start, coverage.end)


def add_up(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.add(tally)
    return total


def read_tally(stored: dict[str, Any]) -> Tally:
    """A tally from what `dataclasses.asdict` made of it."""
    return Tally(
        sites=stored["sites"],
        typed=stored["typed"],
        bins=[BinTally(**part) for part in stored["bins"]],
        chromosomes={name: Coverage(**part) for name, part in stored["chromosomes"].items()},
    )


class InfoStream(io.RawIOBase):
    """A `*.info.gz` file on its way elsewhere; once it is read to its end, `tally` is what was in it, or None."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source = source
        self._tally = Tally()
        self._inflater: Any = None
        self._line = b""
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
                self._inflate(data)
                if not data:
                    self._finish()
            except (UnreadableError, ValueError, isal_zlib.error):  # type: ignore[misc]  # its stub has an instance
                self._readable = False
        buffer[: len(data)] = data
        return len(data)

    def _inflate(self, data: bytes) -> None:
        """Members one after the other, as bgzip writes them, at most `_PIECE` bytes of text at a time."""
        pending = False
        while data or pending:
            if self._inflater is None:
                self._inflater = isal_zlib.decompressobj(_GZIP)
            text = self._inflater.decompress(data, _PIECE)
            self._take(text)
            pending, data = len(text) == _PIECE, self._inflater.unconsumed_tail
            if self._inflater.eof:
                data, pending, self._inflater = self._inflater.unused_data, False, None

    def _finish(self) -> None:
        if self._inflater is not None:  # cut inside a member
            raise UnreadableError
        self._take(b"\n")

    def _take(self, text: bytes) -> None:
        *lines, self._line = (self._line + text).split(b"\n")
        if len(self._line) > _LINE_LIMIT:
            raise UnreadableError
        for line in lines:
            if line and not line.startswith(b"#"):
                self._take_site(line)

    def _take_site(self, line: bytes) -> None:
        fields = line.rstrip(b"\r").split(b"\t", 8)
        if len(fields) < 8 or len(self._tally.chromosomes) > _MOST_CHROMOSOMES:
            raise UnreadableError
        self._tally.add_site(fields[0].decode("ascii"), int(fields[1]), fields[7])


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
