"""For those who try things out, and for nobody else: no real site has this."""

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field

from sandbox.cloudgene.clock import CLOCK, DAY_MS
from sandbox.cloudgene.control import FAULTS, Control, Fault, Operation, Rule, find_place
from sandbox.cloudgene.errors import FrameworkError
from sandbox.cloudgene.site import CurrentSite, Site

router = APIRouter(prefix="/sandbox")
Key = Annotated[str, Header(alias="X-Sandbox-Key")]


class NewRule(BaseModel):
    """`on`: where it happens; the fault's usual place if left out. `times`: how often; without end if left out."""

    model_config = ConfigDict(extra="forbid")

    fault: Fault
    on: Operation | None = None
    times: Annotated[int, Field(ge=1)] | None = None


class Wish(BaseModel):
    """What is left out stays as it is. `faults` take the place of those before; empty `maintenance` ends it."""

    model_config = ConfigDict(extra="forbid")

    faults: list[NewRule] | None = None
    advance_days: Annotated[float, Field(ge=0, le=3650)] = 0
    maintenance: Annotated[str, Field(max_length=1000)] | None = None
    paused: bool | None = None
    max_jobs_per_user: Annotated[int, Field(ge=0)] | None = None


@router.get("/control")
async def show_control(site: CurrentSite, x_sandbox_key: Key = "") -> dict[str, Any]:
    return _show(_open(site, x_sandbox_key), site)


@router.post("/control")
async def change_control(wish: Wish, site: CurrentSite, x_sandbox_key: Key = "") -> dict[str, Any]:
    control = _open(site, x_sandbox_key)
    CLOCK.advance(wish.advance_days)
    if wish.faults is not None:
        control.rules = [Rule(rule.fault, rule.on or find_place(rule.fault), rule.times) for rule in wish.faults]
    if wish.maintenance is not None:
        site.settings.write_maintenance(wish.maintenance)
    if wish.max_jobs_per_user is not None:
        control.max_jobs_per_user = wish.max_jobs_per_user
    if wish.paused is not None:
        await site.engine.pause(wish.paused)
    return _show(control, site)


def _open(site: Site, key: str) -> Control:
    if not secrets.compare_digest(key.encode(), site.engine.control.key.encode()):
        raise FrameworkError(401, "Send the key that lies in control.key of the site's data folder.")
    return site.engine.control


def _show(control: Control, site: Site) -> dict[str, Any]:
    return {
        "faults": [vars(rule) for rule in control.rules],
        "known_faults": FAULTS,
        "days_ahead": CLOCK.ahead_ms / DAY_MS,
        "maintenance": site.settings.maintenance_message,
        "paused": control.paused,
        "max_jobs_per_user": site.engine.max_jobs_per_user,
    }
