"""Impute one chromosome: cut it into windows, run the engine on each, write the results."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pysam

from sandbox.engine.choice import NO_PHASING, check_phasing, choose_engine
from sandbox.engine.results import Provenance, ResultFiles
from sandbox.engine.window import EngineError, chunk_starts, cut_windows
from sandbox.panel import PanelContig
from sandbox.vcf import Haplotypes

Report = Callable[[int, int], None]  # finished chunks, all chunks


@dataclass(frozen=True)
class Options:
    """`chunk_size` and `overlap` are base pairs; `panel` is the name that the results carry."""

    panel: str
    engine: str = "auto"
    phasing: str = NO_PHASING
    pipeline: str = "sandbox"
    chunk_size: int = 20_000_000
    overlap: int = 500_000
    r2_filter: float = 0.0
    meta: bool = False
    processes: int = 2


def impute_chromosome(
    target: Haplotypes,
    panel: PanelContig,
    out: Path,
    options: Options,
    report: Report,
    starts: list[int] | None = None,
) -> list[Path]:
    """Imputes the chunks that begin at `starts` (default: all that hold typed sites) and returns the files
    written. Raises EngineError; `report` is called before the first and after each chunk."""
    engine = choose_engine(options.engine)
    check_phasing(engine, target.phased, options.phasing)
    starts = chunk_starts(target.positions, options.chunk_size) if starts is None else starts
    windows = list(cut_windows(panel, target, starts, options.chunk_size, options.overlap))
    if not windows:
        raise EngineError("The reference panel has none of the typed sites.")
    out.mkdir(parents=True, exist_ok=True)
    phasing = "no_phasing" if target.phased else engine.name
    provenance = Provenance(f"{options.pipeline} ({engine.name})", phasing, options.panel)
    report(0, len(windows))
    with ResultFiles(out, panel.contig, target.samples, provenance) as files:
        for number, (window, dosages) in enumerate(engine.impute(iter(windows), options.processes), start=1):
            files.add_window(window, dosages, options.r2_filter)
            report(number, len(windows))
    return _collect_files(files, options.meta)


def _collect_files(files: ResultFiles, meta: bool) -> list[Path]:
    """The leave-one-out dosages only serve to join results of several panels, so they stay on request only."""
    if not meta:
        files.empirical_path.unlink()
        return [files.dose_path, files.info_path]
    pysam.tabix_index(str(files.empirical_path), preset="vcf", force=True)
    index = files.empirical_path.with_name(files.empirical_path.name + ".tbi")
    return [files.dose_path, files.info_path, files.empirical_path, index]
