"""Coroutine tests run as those of the other adapters do; servers of other people are started once for all tests."""

from collections.abc import Iterator

import pytest

from sandbox.simulator import Simulation
from tests.backends.conftest import pytest_pyfunc_call
from tests.backends_wes.servers import RunningWesService, start_sapporo
from tests.sandbox_wes.conftest import simulation, unphased_cohort
from tests.sandbox_wes.wes_site import RunningWes

__all__ = ["pytest_pyfunc_call", "simulation", "unphased_cohort"]


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
