"""`imputehub catalog …`: does the registry hold what the curators keep?

Exit codes: 0 when it does, 1 when it does not, 2 when that could not be found out.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from imputehub.client import Client
from imputehub.commands._progress import console, show_table
from imputehub.commands._session import open_client

app = typer.Typer(help="Compare the registry with the catalogue, and mend it (curators).", no_args_is_help=True)

DIFFERENT, UNKNOWN = 1, 2
_ARRIVAL_DEADLINE_S = 60
_ACTIONS = {"sent": "told again", "removed": "removed from the registry", "left": "left as it is"}


@contextlib.contextmanager
def open_comparison() -> Iterator[Client]:
    """The client of whoever is logged in. An error means that nothing is known: exit code 2."""
    try:
        with open_client() as client:
            yield client
    except typer.Exit as end:
        raise typer.Exit(UNKNOWN if end.exit_code == 1 else end.exit_code) from None


@app.command()
def check() -> None:
    """Show where the registry's sites and panels differ from those that curators keep, by version and content."""
    with open_comparison() as client:
        comparison = client.call("GET", "/api/v1/curation/drift/")
    show_findings(comparison["findings"])
    if not comparison["in_sync"]:
        console.print("The registry differs. Mend it with: imputehub catalog repair")
        raise SystemExit(DIFFERENT)
    console.print(f"The registry holds what is curated: {comparison['sites']} sites with all their panels.")


@app.command()
def repair(
    even_if_empty: Annotated[
        bool, typer.Option(help="Also when no site is curated at all: the registry is emptied then.")
    ] = False,
) -> None:
    """Tell the registry anew of everything that differs, and say what was done."""
    with open_comparison() as client:
        done = client.call("POST", "/api/v1/curation/repair/", json={"even_if_empty": even_if_empty})
        for one in done["repairs"]:
            show_repair(one)
        left = await_arrival(client) if done["repairs"] else []
    if left:
        show_findings(left)
        console.print("The registry still differs.")
        raise SystemExit(DIFFERENT)
    verdict = f"{len(done['repairs'])} sites were mended. T" if done["repairs"] else "Nothing had to be mended: t"
    console.print(f"{verdict}he registry holds what is curated, {done['sites']} sites with all their panels.")


def await_arrival(client: Client) -> list[dict[str, Any]]:
    """What still differs once everything has been delivered, or 60 s are over."""
    end = time.monotonic() + _ARRIVAL_DEADLINE_S
    while True:
        comparison = client.call("GET", "/api/v1/curation/drift/")
        found: list[dict[str, Any]] = comparison["findings"]
        if not any(one["kind"] in ("pending", "undelivered") for one in found) or time.monotonic() > end:
            return found
        time.sleep(0.3)


def show_findings(findings: list[dict[str, Any]]) -> None:
    if not findings:
        return
    rows = (
        (name_site(one), one["kind"], say_version(one["version"]), say_version(one["registry_version"]))
        for one in findings
    )
    show_table(("site", "state", "version", "in the registry"), rows)
    for one in findings:
        console.print(f"{name_site(one)}: {one['message']}", markup=False, highlight=False)
        for difference in one["differences"]:
            console.print(f"  {difference}", markup=False, highlight=False)


def show_repair(one: dict[str, Any]) -> None:
    finding = one["finding"]
    version = f", version {one['version']}" if one["action"] != "left" else ""
    text = f"{name_site(finding)}: {_ACTIONS[one['action']]}{version}. {finding['message']}"
    console.print(text, markup=False, highlight=False)
    for difference in finding["differences"]:
        console.print(f"  {difference}", markup=False, highlight=False)


def name_site(finding: dict[str, Any]) -> str:
    return str(finding["name"] or finding["service_id"])


def say_version(version: int | None) -> str:
    return "–" if version is None else str(version)
