import inspect
from collections.abc import Iterator

import httpx
import hypothesis
import pytest
from xdist.remote import Producer

from imputehub.local.postgresql import PostgresqlServer, run_postgresql
from imputehub.local.valkey import run_valkey
from microservices.kernel.testing import TokenAuthority, serve_authority
from tests.economy import pytest_configure  # noqa: F401 - a hook
from tests.schedule import GroupScheduling


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> GroupScheduling:
    return GroupScheduling(config, log)


# What is drawn by lot is the same each time: an outcome hangs on the code alone. `--hypothesis-profile=default` draws.
hypothesis.settings.register_profile("certain", derandomize=True, deadline=None)
hypothesis.settings.load_profile("certain")


@pytest.fixture(scope="session", autouse=True)
def _who_names_no_deadline_waits_long() -> None:
    """httpx gives up after 5 s, which on a busy machine is soon."""
    usual = inspect.signature(httpx.Client).parameters["timeout"].default
    usual.connect = usual.read = usual.write = usual.pool = 60


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresqlServer]:
    """This worker's own PostgreSQL; `create_database()` gives the URL of a fresh, empty database."""
    with run_postgresql(tmp_path_factory.mktemp("postgresql"), fast=True) as server:
        yield server


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """This worker's own Valkey."""
    with run_valkey(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture(scope="session")
def authority() -> TokenAuthority:
    """Signs the tokens that tests call with."""
    return TokenAuthority()


@pytest.fixture(scope="session")
def authority_url(authority: TokenAuthority) -> Iterator[str]:
    """Where services under test find the authority's keys and get their own tokens."""
    with serve_authority(authority) as url:
        yield url
