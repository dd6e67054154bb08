"""An adapter in place of a kind's own, for what no server can be made to do."""

from typing import Any

import pytest

from microservices.backends import registry
from microservices.backends.base import CredentialCheck, SiteProbe
from tests.job_processor.conftest import World


class HealthyAdapter:
    """Of a site that is there and takes any token; the rest is up to who inherits from it."""

    def __init__(self, *_args: Any) -> None:
        pass

    async def probe(self) -> SiteProbe:
        return SiteProbe("healthy", 1, "fine")

    async def verify_credential(self) -> CredentialCheck:
        return CredentialCheck(True, "fine")


def put_in_place(adapter: type[HealthyAdapter], world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world's site is of a kind that `adapter` speaks."""
    monkeypatch.setitem(registry.ADAPTERS, "ga4gh", adapter)
    world.peers.site, world.peers.recipe = {"api_type": "ga4gh"}, {"workflow_url": "any", "parameters": {}}
