"""The VCF check against `bcftools stats -s -` on a file of 200 samples × 500,000 sites with GT only.

    python tests/load/bench_preflight.py [--samples N] [--sites N] [--rounds N]

Rounds alternate between the two, so that a busy machine slows both; without bcftools on the PATH only the check
is timed. Prints seconds (wall and CPU) per round, the medians and their ratio, and the peak memory of the check.
"""

import argparse
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam

from microservices.preflight import check_vcf

CALLS = np.array([b"\t0/0", b"\t0/1", b"\t1/1", b"\t./."], dtype="S4")
SHARES = [0.70, 0.20, 0.09, 0.01]
SPACING = 110  # bp between sites: 500,000 of them reach 55 Mb on chromosome 20


def write_cohort(path: Path, samples: int, sites: int) -> None:
    """A bgzip VCF of a typed cohort: unphased, 1 % missing calls."""
    random = np.random.default_rng(20)
    names = "\t".join(f"S{number:05}" for number in range(samples))
    header = (
        '##fileformat=VCFv4.2\n##contig=<ID=20,length=63025520>\n##FILTER=<ID=PASS,Description="All filters passed">\n'
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        f"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{names}\n"
    )
    with pysam.BGZFile(str(path), "w", None) as file:
        file.write(header.encode())
        for first in range(0, sites, 5_000):
            rows = CALLS[random.choice(4, size=(min(5_000, sites - first), samples), p=SHARES)]
            lines = [
                b"20\t%d\trs%d\tA\tG\t.\tPASS\t.\tGT%b\n"
                % (60_000 + (first + row) * SPACING, first + row, calls.tobytes())
                for row, calls in enumerate(rows)
            ]
            file.write(b"".join(lines))


def time_call(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds, those of children included."""
    wall, cpu = time.perf_counter(), read_cpu()
    call()
    return time.perf_counter() - wall, read_cpu() - cpu


def read_cpu() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def run_rounds(path: Path, rounds: int) -> dict[str, list[tuple[float, float]]]:
    contestants: dict[str, Callable[[], object]] = {"check_vcf": lambda: check_vcf(path)}
    if bcftools := shutil.which("bcftools"):
        command = [bcftools, "stats", "-s", "-", str(path)]
        contestants["bcftools"] = lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, call in contestants.items():
            times[name].append(time_call(call))
    return times


def print_times(times: dict[str, list[tuple[float, float]]]) -> None:
    medians = {}
    for name, rounds in times.items():
        medians[name] = statistics.median(wall for wall, _ in rounds)
        cpu = statistics.median(cpu for _, cpu in rounds)
        walls = " ".join(f"{wall:.2f}" for wall, _ in rounds)
        sys.stdout.write(f"{name:10} median {medians[name]:.2f} s wall, {cpu:.2f} s CPU; rounds: {walls}\n")
    if "bcftools" in medians:
        sys.stdout.write(
            f"ratio      {medians['check_vcf'] / medians['bcftools']:.2f} of bcftools (mark: 1.0, then 0.5)\n"
        )
    else:
        sys.stdout.write("bcftools is not on the PATH: nothing to compare with\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--samples", type=int, default=200)
    parser.add_argument("--sites", type=int, default=500_000)
    parser.add_argument("--rounds", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cohort.vcf.gz"
        write_cohort(path, options.samples, options.sites)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        report = check_vcf(path)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        sys.stdout.write(
            f"{report.samples} samples × {report.variants:,} sites, {path.stat().st_size / 1e6:.0f} MB, "
            f"verdict {report.verdict}; peak memory {peak / 1024:.0f} MB (before the check {before / 1024:.0f} MB)\n"
        )
        print_times(run_rounds(path, options.rounds))


if __name__ == "__main__":
    main()
