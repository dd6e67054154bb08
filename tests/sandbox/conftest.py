"""One small simulation serves all tests of the sandbox that need data."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.simulator import Simulation, simulate_cohort
from sandbox.vcf import read_haplotypes, write_haplotypes
from tests.sandbox.sandbox_site import RunningSite


@pytest.fixture(scope="session")
def small() -> dict[str, Any]:
    """The size of the simulation."""
    return {"samples": 20, "panel_haplotypes": 300, "length": 400_000, "typed": 200}


@pytest.fixture(scope="session")
def simulation(small: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Simulation:
    """20 people typed at about 200 sites of 400 kb, and a panel of 300 haplotypes."""
    return simulate_cohort(tmp_path_factory.mktemp("simulation"), seed=11, **small)


@pytest.fixture(scope="session")
def unphased_cohort(simulation: Simulation) -> Path:
    """The cohort with the order of the alleles given up."""
    path = simulation.cohort.with_name("unphased.vcf.gz")
    cohort = read_haplotypes(simulation.cohort)
    header = ["##contig=<ID=chr20,length=64444167>"]
    write_haplotypes(path, replace(cohort, phased=False), header)
    return path


USERS = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy", "mallory"]


@pytest.fixture(scope="session")
def site(simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """One site for all tests: each test that submits has a user of its own, as the jobs of one are limited. Its
    panel arrives after its start."""
    folder = tmp_path_factory.mktemp("site")
    running = RunningSite(folder, USERS, "--settle-seconds", "0.4", "--max-downloads", "3", "--slots", "2")
    shutil.copytree(simulation.panel, folder / "panels" / "simulated")
    yield running
    running.stop()
