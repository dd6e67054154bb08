"""The files of an imputed chromosome: `chrN.dose.vcf.gz`, `chrN.info.gz` and, on request, the leave-one-out
dosages of the typed sites in `chrN.empiricalDose.vcf.gz`."""

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import pysam
from numpy.typing import NDArray

from sandbox.engine.quality import SiteQuality, empirical_r2, estimate_quality
from sandbox.engine.window import Dosages, Window
from sandbox.genome import bare_chromosome
from sandbox.vcf import MISSING

_INFO = """\
##INFO=<ID=AF,Number=A,Type=Float,Description="Estimated alternate allele frequency">
##INFO=<ID=MAF,Number=1,Type=Float,Description="Estimated minor allele frequency">
##INFO=<ID=AVG_CS,Number=1,Type=Float,Description="Mean probability of the likelier allele">
##INFO=<ID=R2,Number=1,Type=Float,Description="Estimated imputation accuracy (R-square)">
##INFO=<ID=ER2,Number=1,Type=Float,Description="Empirical (leave-one-out) R-square, typed sites only">
##INFO=<ID=IMPUTED,Number=0,Type=Flag,Description="Site was imputed and not typed">
##INFO=<ID=TYPED,Number=0,Type=Flag,Description="Site was typed">
"""
_GENOTYPE = '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
_FORMAT = (
    _GENOTYPE
    + """\
##FORMAT=<ID=DS,Number=1,Type=Float,Description="Estimated alternate allele dosage">
##FORMAT=<ID=GP,Number=G,Type=Float,Description="Estimated probabilities of the genotypes 0/0, 0/1 and 1/1">
##FORMAT=<ID=HDS,Number=2,Type=Float,Description="Estimated alternate allele dosages of the two haplotypes">
"""
)
_EMPIRICAL = (
    _GENOTYPE + '##FORMAT=<ID=LDS,Number=2,Type=Float,Description="Leave-one-out dosages of the two haplotypes">\n'
)
_COLUMNS = "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO"


@dataclass(frozen=True)
class Provenance:
    """What the header says of how the results came about."""

    pipeline: str
    phasing: str
    panel: str

    @property
    def lines(self) -> str:
        """The three lines that the site's results carry."""
        return f"##mis_pipeline={self.pipeline}\n##mis_phasing={self.phasing}\n##mis_panel={self.panel}\n"


def _format_number(thousandths: int) -> str:
    """Three decimals, as Minimac writes them, without zeros at the end."""
    return f"{thousandths / 1000:.3f}".rstrip("0").rstrip(".")


def _format_cell(code: int) -> str:
    """GT:DS:GP:HDS of one person from the dosages of both haplotypes in thousandths, `1001 a + b`."""
    a, b = divmod(code, 1001)
    products = [(1000 - a) * (1000 - b), a * (1000 - b) + b * (1000 - a), a * b]
    likely = ",".join(_format_number(round(product / 1000)) for product in products)
    calls = f"{int(a >= 500)}|{int(b >= 500)}"
    return f"{calls}:{_format_number(a + b)}:{likely}:{_format_number(a)},{_format_number(b)}"


def _format_rows(dosages: NDArray[np.float64]) -> list[str]:
    """The sample columns of each site. Few different pairs of dosages occur, so each is written once."""
    rounded = np.rint(dosages * 1000).astype(np.int64)
    codes, places = np.unique(rounded[:, 0::2] * 1001 + rounded[:, 1::2], return_inverse=True)
    cells = np.array([_format_cell(code) for code in codes.tolist()], dtype=object)
    return ["\t".join(row) for row in cells[places.reshape(len(dosages), -1)].tolist()]


class ResultFiles:
    """The open files of one chromosome; windows are added from left to right."""

    def __init__(self, folder: Path, contig: str, samples: list[str], provenance: Provenance) -> None:
        stem = f"chr{bare_chromosome(contig)}"
        names = "\t".join(["", "FORMAT", *samples])
        head = f"##fileformat=VCFv4.2\n##contig=<ID={contig}>\n{provenance.lines}"
        self.dose_path, self.info_path = folder / f"{stem}.dose.vcf.gz", folder / f"{stem}.info.gz"
        self.empirical_path = folder / f"{stem}.empiricalDose.vcf.gz"
        self._dose = self._open(self.dose_path, f"{head}{_INFO}{_FORMAT}{_COLUMNS}{names}")
        self._info = self._open(self.info_path, f"{head}{_INFO}{_COLUMNS}")
        self._empirical = self._open(self.empirical_path, f"{head}{_EMPIRICAL}{_COLUMNS}{names}")

    @staticmethod
    def _open(path: Path, header: str) -> pysam.BGZFile:
        file = pysam.BGZFile(str(path), "wb", None)
        file.write(f"{header}\n".encode())
        return file

    def __enter__(self) -> "ResultFiles":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for file in (self._dose, self._info, self._empirical):
            file.close()

    def add_window(self, window: Window, dosages: Dosages, r2_filter: float) -> None:
        """Writes the core of a window; imputed sites whose R² is below `r2_filter` are dropped."""
        alleles = _insert_calls(window, dosages)
        quality = estimate_quality(alleles)
        typed = np.zeros(len(alleles), dtype=bool)
        typed[window.typed] = True
        chosen = np.zeros(len(alleles), dtype=bool)
        chosen[window.core] = True
        chosen &= typed | (quality.r2 >= r2_filter)
        rows = np.flatnonzero(chosen)
        fixed = self._write_sites(window, dosages, quality, rows)
        for prefix, columns in zip(fixed, _format_rows(alleles[rows]), strict=True):
            self._dose.write(f"{prefix}\tGT:DS:GP:HDS\t{columns}\n".encode())
        if dosages.left_out is not None:
            self._write_empirical(window, dosages.left_out)

    def _write_sites(self, window: Window, dosages: Dosages, quality: SiteQuality, rows: NDArray[np.intp]) -> list[str]:
        empirical = dict.fromkeys(window.typed.tolist(), "")
        if dosages.left_out is not None:
            values = empirical_r2(dosages.left_out, window.target.alleles)
            empirical = {row: f";ER2={value:.5f}" for row, value in zip(window.typed.tolist(), values, strict=True)}
        fixed = []
        for row in rows.tolist():
            flags = f"TYPED{empirical[row]}" if row in empirical else "IMPUTED"
            fixed.append(f"{_format_site(window, row)}\t{_format_quality(quality, row)};{flags}")
        self._info.write("".join(f"{line}\n" for line in fixed).encode())
        return fixed

    def _write_empirical(self, window: Window, left_out: NDArray[np.float64]) -> None:
        called = window.target.alleles
        for number, row in enumerate(window.typed.tolist()):
            if window.core.start <= row < window.core.stop:
                pairs = zip(*[iter(called[number].tolist())] * 2, *[iter(left_out[number].tolist())] * 2, strict=True)
                cells = "\t".join(f"{_call(a)}|{_call(b)}:{x:.3f},{y:.3f}" for a, b, x, y in pairs)
                self._empirical.write(f"{_format_site(window, row)}\t.\tGT:LDS\t{cells}\n".encode())


def _insert_calls(window: Window, dosages: Dosages) -> NDArray[np.float64]:
    """What was called stays as it was called; an engine that phased has put its calls into the dosages itself."""
    alleles = dosages.alleles.copy()
    if window.target.phased:
        called = window.target.alleles
        alleles[window.typed] = np.where(called == MISSING, alleles[window.typed], called)
    return alleles


def _call(allele: int) -> str:
    return "." if allele == MISSING else str(allele)


def _format_site(window: Window, row: int) -> str:
    panel = window.panel
    position, ref, alt = int(panel.positions[row]), panel.ref[row].decode(), panel.alt[row].decode()
    return f"{panel.contig}\t{position}\t{panel.contig}:{position}:{ref}:{alt}\t{ref}\t{alt}\t.\tPASS"


def _format_quality(quality: SiteQuality, row: int) -> str:
    af, r2, certainty = (float(values[row]) for values in (quality.af, quality.r2, quality.avg_cs))
    return f"AF={af:.6f};MAF={min(af, 1 - af):.6f};AVG_CS={certainty:.6f};R2={r2:.5f}"
