"""The server, its counters and its application."""

from typing import Any

from fastapi import APIRouter, Depends

from sandbox.cloudgene.accounts import count_accounts
from sandbox.cloudgene.errors import CloudgeneError
from sandbox.cloudgene.jobs import State
from sandbox.cloudgene.panels import describe_application, find_panels
from sandbox.cloudgene.settings import APPLICATION_ID, APPLICATION_NAME, APPLICATION_VERSION
from sandbox.cloudgene.site import AnyCaller, CurrentSite, KnownCaller, refuse_during_maintenance

router = APIRouter(prefix="/api/v2/server")


@router.get("")
async def show_server(site: CurrentSite, caller: AnyCaller) -> dict[str, Any]:
    """Strangers see no application; `maintenace` is spelt so."""
    message = site.settings.maintenance_message
    application = {
        "id": f"{APPLICATION_ID}@{APPLICATION_VERSION}",
        "name": APPLICATION_NAME,
        "version": APPLICATION_VERSION,
    }
    shown: dict[str, Any] = {
        "name": site.settings.name,
        "background": "#343a40",
        "foreground": "navbar-dark",
        "footer": "",
        "emailRequired": True,
        "userEmailDescription": "",
        "userWithoutEmailDescription": "",
        "oauth": [],
        "apps": [application] if caller else [],
        "loggedIn": caller is not None,
        "navigation": [],
        "maintenace": message is not None,
    }
    if message is not None:
        shown["maintenaceMessage"] = message
    if caller:
        account = caller.account
        names = {"username": account.username, "mail": account.mail, "name": account.name}
        shown |= {"deprecatedApps": [], "experimentalApps": [], "user": {**names, "admin": account.admin}}
    return shown


@router.get("/counters")
async def show_counters(site: CurrentSite) -> dict[str, Any]:
    """How busy the site is."""
    complete = sum(job.state in (State.SUCCESS, State.SUCCESS_NOTIFIED) for job in site.engine.jobs.values())
    return {
        "complete": {"runs": complete},
        "queue": {"size": site.engine.queue_size},
        "users": count_accounts(site.database),
    }


@router.get("/apps/{application}", dependencies=[Depends(refuse_during_maintenance)])
async def show_application(site: CurrentSite, caller: KnownCaller, application: str) -> dict[str, Any]:
    """With or without the version in the id; the answer is without."""
    panels = find_panels(site.settings.panels_folder)
    if is_application(application):
        return describe_application(APPLICATION_ID, panels)
    if is_data_package(application, [panel.key for panel in panels]):
        raise CloudgeneError(404, f"Application {application} is a data package.")
    raise CloudgeneError(404, f"Application {application} not found or the request requires user authentication.")


def is_application(name: str) -> bool:
    """The one that this site has."""
    return name in {APPLICATION_ID, f"{APPLICATION_ID}@{APPLICATION_VERSION}"}


def is_data_package(name: str, panel_keys: list[str]) -> bool:
    """A panel's id, with or without its version."""
    packages = {key.removeprefix("apps@") for key in panel_keys}
    return name.removeprefix("apps@") in packages | {package.split("@")[0] for package in packages}
