"""Beagle 5 and Minimac4 as engines, run as programs on one window at a time."""

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pysam
from numpy.typing import NDArray

from sandbox.engine.window import Dosages, EngineError, Window
from sandbox.panel import PanelContig
from sandbox.vcf import Haplotypes, open_vcf, write_haplotypes


def impute_by_beagle(windows: Iterator[Window], processes: int) -> Iterator[tuple[Window, Dosages]]:
    """Phases unphased calls and imputes; `AP1` and `AP2` are the dosages of the two haplotypes."""
    for window in windows:
        with tempfile.TemporaryDirectory() as folder:
            target, reference = _write_inputs(Path(folder), window)
            out = Path(folder) / "imputed"
            _run_program(
                ["beagle", f"gt={target}", f"ref={reference}", f"out={out}", "ap=true", f"nthreads={processes}"]
            )
            yield window, Dosages(_read_dosages(out.with_suffix(".vcf.gz"), window))


def impute_by_minimac(windows: Iterator[Window], processes: int) -> Iterator[tuple[Window, Dosages]]:
    """The panel is compressed for each window: it is small, and the window stays the only unit of work."""
    for window in windows:
        with tempfile.TemporaryDirectory() as folder:
            target, reference = _write_inputs(Path(folder), window)
            packed, out = Path(folder) / "panel.msav", Path(folder) / "imputed.vcf.gz"
            _run_program(["minimac4", "--compress-reference", str(reference), "-o", str(packed)])
            options = ["-f", "HDS", "-t", str(processes), "--all-typed-sites", "-o", str(out)]
            _run_program(["minimac4", str(packed), str(target), *options])
            yield window, Dosages(_read_dosages(out, window))


def _write_inputs(folder: Path, window: Window) -> tuple[Path, Path]:
    target, reference = folder / "target.vcf.gz", folder / "panel.vcf.gz"
    header = [f"##contig=<ID={window.panel.contig}>"]
    write_haplotypes(target, window.target, header)
    write_haplotypes(reference, _as_people(window.panel), header)
    for path in (target, reference):
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return target, reference


def _as_people(panel: PanelContig) -> Haplotypes:
    names = [f"R{number:05d}" for number in range(len(panel.groups) // 2)]
    return Haplotypes(panel.contig, names, panel.positions, panel.ref, panel.alt, panel.alleles)


def _run_program(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise EngineError(f"{command[0]} ended with code {done.returncode}: {' '.join(words)}")


def _read_dosages(path: Path, window: Window) -> NDArray[np.float64]:
    """Panel sites that the program left out keep dosage 0."""
    rows = {key: row for row, key in enumerate(window.panel.keys)}
    dosages = np.zeros((len(rows), window.target.alleles.shape[1]))
    with open_vcf(path) as file:
        for record in file:
            row = rows.get((record.pos, (record.ref or "").encode(), ",".join(record.alts or ()).encode()))
            if row is not None:
                dosages[row] = [value for sample in record.samples.values() for value in _haplotypes_of(sample)]
    return dosages


def _haplotypes_of(sample: pysam.VariantRecordSample) -> tuple[float, float]:
    if "HDS" in sample:
        first, second = sample["HDS"]
        return first, second
    if "AP1" in sample:
        return sample["AP1"][0], sample["AP2"][0]
    first, second = sample["GT"]
    return first, second
