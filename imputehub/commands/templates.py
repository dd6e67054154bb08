"""`imputehub templates …`."""

from typing import Annotated, Any

import typer

from imputehub.client import Client
from imputehub.commands._progress import console, show_table
from imputehub.commands._session import open_client
from imputehub.commands._targets import pick

app = typer.Typer(help="What your jobs have in common, to start the next ones from.", no_args_is_help=True)


@app.command("list")
def list_templates() -> None:
    """Your templates, and those that others of your organisation share."""
    with open_client() as client:
        templates = client.list_templates()
    rows = ((one["id"], one["name"], one["build"] or "", "yes" if one["shared"] else "no") for one in templates)
    show_table(("id", "name", "build", "shared"), rows)


@app.command()
def show(template: Annotated[str, typer.Argument(help="A template's name or id.")]) -> None:
    """Show what jobs that start from a template have of it."""
    with open_client() as client:
        found = pick(client.list_templates(), template, "template")
        lines = [f"{found['name']} ({found['id']})", *tell_settings(found), *tell_targets(client, found)]
    for line in lines:
        console.print(line, highlight=False, markup=False)


def tell_settings(template: dict[str, Any]) -> list[str]:
    countries = (template["residency"] or {}).get("countries", [])
    names = ("build", "phasing", "population", "r2_filter", "mode", "priority")
    told = [f"  {name}: {template[name]}" for name in names if template[name] is not None]
    return [*told, *([f"  data may go to: {', '.join(countries)}"] if countries else [])]


def tell_targets(client: Client, template: dict[str, Any]) -> list[str]:
    """As `imputehub jobs submit --target` takes them, with the alternates of each below it."""
    sites = {site["id"]: site["name"] for site in client.list_services()}
    panels = {panel["id"]: panel["name"] for panel in client.list_all("/api/v1/panels")}

    def name(choice: dict[str, Any]) -> str:
        site, panel = choice["service_id"], choice["panel_id"]
        return f"{sites.get(site, site)}/{panels.get(panel, panel)}"

    lines = []
    for target in template["targets"] or []:
        lines.append(f"  target: {name(target)}")
        lines += [f"    if its site cannot take it: {name(other)}" for other in target["alternates"]]
    return lines
