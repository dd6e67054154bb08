"""Coroutine tests run as those of the other adapters do; servers of other people are started once for all tests."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.simulator import Simulation, simulate_cohort
from sandbox.vcf import read_haplotypes, write_haplotypes
from tests.backends.conftest import pytest_pyfunc_call
from tests.backends_wes.servers import RunningWesService, start_sapporo
from tests.sandbox_wes.wes_site import RunningWes, require_sapporo

__all__ = ["pytest_pyfunc_call"]


@pytest.fixture(scope="session")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    require_sapporo()
    folder = tmp_path_factory.mktemp("wes-contract")
    return simulate_cohort(folder, seed=31, samples=10, panel_haplotypes=200, length=400_000, typed=150)


@pytest.fixture(scope="session")
def unphased_cohort(simulation: Simulation) -> Path:
    path = simulation.cohort.with_name("unphased.vcf.gz")
    haplotypes = replace(read_haplotypes(simulation.cohort), phased=False)
    write_haplotypes(path, haplotypes, ["##contig=<ID=chr20,length=64444167>"])
    return path


@pytest.fixture(scope="session")
def site(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWes]:
    running = start_sapporo(simulation, tmp_path_factory.mktemp("wes-contract-site"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def slow_site(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWes]:
    folder = tmp_path_factory.mktemp("wes-slow-site")
    running = start_sapporo(simulation, folder, "--chunk-size", "1000", "--overlap", "500000")
    yield running
    running.kill()


@pytest.fixture(scope="session")
def wes_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningWesService]:
    running = RunningWesService(tmp_path_factory.mktemp("wes-service") / "site")
    yield running
    running.stop()
