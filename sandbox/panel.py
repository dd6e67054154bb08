"""A reference panel on disk: a folder with `panel.json` and one `<contig>.npz` per contig.

The archive of a contig holds `positions` (int64, base pairs from 1), `ref` and `alt` (one letter each),
`bits` (uint8, sites x ceil(haplotypes / 8): the alternative alleles, packed along a site) and `groups`
(the population of each haplotype).
"""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sandbox.genome import Build

DESCRIPTION = "panel.json"


class PanelError(Exception):
    """The folder does not hold a panel that can be read."""


@dataclass(frozen=True)
class PanelDescription:
    """What `panel.json` says; `populations` maps the key that is submitted to the name that is shown."""

    id: str
    version: str
    name: str
    build: Build
    populations: dict[str, str]
    contigs: list[str]
    haplotypes: int


@dataclass(frozen=True)
class PanelContig:
    """Sites and haplotypes of one contig, sorted by position."""

    contig: str
    positions: NDArray[np.int64]
    ref: NDArray[np.bytes_]
    alt: NDArray[np.bytes_]
    bits: NDArray[np.uint8]
    groups: NDArray[np.str_]

    @property
    def alleles(self) -> NDArray[np.int8]:
        """Alternative alleles, 0 or 1, sites x haplotypes."""
        return np.unpackbits(self.bits, axis=1, count=len(self.groups)).view(np.int8)

    @property
    def keys(self) -> list[tuple[int, bytes, bytes]]:
        """(position, ref, alt) of every site, in order."""
        return list(zip(self.positions.tolist(), self.ref.tolist(), self.alt.tolist(), strict=True))

    def between(self, start: int, end: int) -> "PanelContig":
        """The sites from `start` to `end`, both included."""
        first, last = np.searchsorted(self.positions, [start, end + 1])
        cut = slice(int(first), int(last))
        return replace(self, positions=self.positions[cut], ref=self.ref[cut], alt=self.alt[cut], bits=self.bits[cut])

    def frequencies(self, population: str) -> NDArray[np.float64]:
        """Frequency of the alternative allele; a population without haplotypes of its own means all."""
        chosen = self.groups == population
        alleles = self.alleles[:, chosen] if chosen.any() else self.alleles
        frequencies: NDArray[np.float64] = alleles.mean(axis=1, dtype=np.float64)
        return frequencies


def write_panel(folder: Path, description: PanelDescription, contigs: list[PanelContig]) -> None:
    """The description comes last and at once: a site that looks meanwhile sees no half panel."""
    folder.mkdir(parents=True, exist_ok=True)
    for contig in contigs:
        np.savez_compressed(
            folder / f"{contig.contig}.npz",
            positions=contig.positions,
            ref=contig.ref,
            alt=contig.alt,
            bits=contig.bits,
            groups=contig.groups,
        )
    partial = folder / f".{DESCRIPTION}"
    partial.write_text(json.dumps(asdict(description), indent=2) + "\n", encoding="utf-8")
    partial.replace(folder / DESCRIPTION)


def read_description(folder: Path) -> PanelDescription:
    """Raises PanelError for a folder that is no panel, or not yet."""
    try:
        description = PanelDescription(**json.loads((folder / DESCRIPTION).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise PanelError(f"{folder} is not a reference panel: {error}") from error
    missing = [name for name in description.contigs if not (folder / f"{name}.npz").is_file()]
    if missing:
        raise PanelError(f"{folder} lacks the haplotypes of {', '.join(missing)}")
    return description


def read_contig(folder: Path, contig: str) -> PanelContig:
    """Raises PanelError when the panel does not have the contig."""
    path = folder / f"{contig}.npz"
    if not path.is_file():
        raise PanelError(f"The panel in {folder} has no contig {contig}.")
    with np.load(path) as arrays:
        return PanelContig(contig=contig, **{name: arrays[name] for name in arrays.files})
