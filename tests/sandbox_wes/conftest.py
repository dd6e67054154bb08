"""One simulation and one site serve all tests of the WES sandbox. Its folder's name has a blank."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.simulator import Simulation, simulate_cohort
from sandbox.vcf import read_haplotypes, write_haplotypes
from tests.sandbox_wes.wes_site import RunningWes, require_sapporo


@pytest.fixture(scope="session")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    require_sapporo()
    folder = tmp_path_factory.mktemp("wes-simulation")
    return simulate_cohort(folder, seed=29, samples=10, panel_haplotypes=200, length=400_000, typed=150)


@pytest.fixture(scope="session")
def unphased_cohort(simulation: Simulation) -> Path:
    path = simulation.cohort.with_name("unphased.vcf.gz")
    header = ["##contig=<ID=chr20,length=64444167>"]
    write_haplotypes(path, replace(read_haplotypes(simulation.cohort), phased=False), header)
    return path


@pytest.fixture(scope="session")
def site(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWes]:
    folder = tmp_path_factory.mktemp("wes") / "a site"
    shutil.copytree(simulation.panel, folder / "panels" / "simulated")
    running = RunningWes(folder)
    yield running
    running.stop()


@pytest.fixture
def slow_site(simulation: Simulation, tmp_path: Path) -> Iterator[RunningWes]:
    """A site of the test's own whose runs take minutes: hundreds of windows, each with the whole panel around it."""
    shutil.copytree(simulation.panel, tmp_path / "panels" / "simulated")
    running = RunningWes(tmp_path, "--chunk-size", "1000", "--overlap", "500000")
    yield running
    running.kill()
