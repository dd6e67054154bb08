"""The panels that lie in the site's data folder; looked up at each request, as folders come and go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.cloudgene.settings import APPLICATION_NAME, APPLICATION_VERSION
from sandbox.panel import PanelDescription, PanelError, read_description

Choice = dict[str, Any]


@dataclass(frozen=True)
class Panel:
    """A panel of the site and where it lies."""

    folder: Path
    description: PanelDescription

    @property
    def key(self) -> str:
        """What is to be submitted."""
        return f"apps@{self.description.id}@{self.description.version}"


def find_panels(folder: Path) -> list[Panel]:
    """All that are whole, by key; anything else in the folder is passed over."""
    panels = []
    for entry in sorted(folder.iterdir()) if folder.is_dir() else []:
        try:
            panels.append(Panel(entry, read_description(entry)))
        except PanelError:
            continue
    return sorted(panels, key=lambda panel: panel.key)


def resolve_panel(folder: Path, value: str) -> Panel | None:
    """`apps@id@version`, `id@version` or `id`; never the display name."""
    wanted = value.removeprefix("apps@")
    for panel in reversed(find_panels(folder)):
        if wanted in {panel.description.id, panel.key.removeprefix("apps@")}:
            return panel
    return None


def describe_application(application: str, panels: list[Panel]) -> dict[str, Any]:
    """The form of the application, with panels and the populations bound to them."""
    return {
        "id": application,
        "name": APPLICATION_NAME,
        "version": APPLICATION_VERSION,
        "description": "Imputation of genotypes against the panels of this sandbox.",
        "author": None,
        "website": "https://example.org",
        "logo": None,
        "submitButton": "Start Imputation",
        "params": _describe_parameters(panels),
        "s3Workspace": False,
        "footer": None,
    }


def _describe_parameters(panels: list[Panel]) -> list[dict[str, Any]]:
    phasing = {"eagle": "Eagle v2.4 (phased output)", "no_phasing": "No phasing"}
    filters = {value: "off" if value == "0" else value for value in ("0", "0.001", "0.1", "0.2", "0.3")}
    return [
        _parameter("refpanel", "app_list", "Reference Panel", values=[_panel_choice(panel) for panel in panels]),
        _parameter("files", "local_folder", "Input Files (VCF)", source="upload"),
        _choices("build", "Array Build", {"hg19": "GRCh37/hg19", "hg38": "GRCh38/hg38"}, "hg19"),
        _choices("r2Filter", "rsq Filter", filters, "0"),
        _choices("phasing", "Phasing", phasing, "eagle"),
        _parameter(
            "population",
            "binded_list",
            "Population",
            bind="refpanel",
            values=[_population_choice(panel) for panel in panels],
        ),
        _choices("mode", "Mode", {"imputation": "Imputation", "qc_only": "Quality Control Only"}, "imputation"),
        _choices("aesEncryption", "AES 256 encryption", {"no": "No", "yes": "Yes"}, "no", "checkbox"),
        _choices("meta", "Generate Meta-imputation file", {"no": "No", "yes": "Yes"}, "no", "checkbox"),
    ]


def _parameter(name: str, kind: str, description: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "description": description, "type": kind, **more, "visible": True, "required": True}


def _choices(name: str, description: str, values: dict[str, str], default: str, kind: str = "list") -> dict[str, Any]:
    listed = [_choice(key, values[key]) for key in sorted(values)]
    return _parameter(name, kind, description, value=default, values=listed)


def _choice(key: str, value: str | None, label: str | None = None, values: list[Choice] | None = None) -> Choice:
    """`enabled` is always false and means nothing."""
    return {"key": key, "value": value, "label": label, "values": values, "enabled": False}


def _panel_choice(panel: Panel) -> Choice:
    return _choice(panel.key, panel.description.name)


def _population_choice(panel: Panel) -> Choice:
    populations = {**panel.description.populations, "off": "Off"}
    inner = [_choice(key, name) for key, name in populations.items()]
    return _choice(panel.key, None, panel.description.name, inner)
