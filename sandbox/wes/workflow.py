"""The site's one workflow: which engine calls a run's parameters ask for."""

import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.panel import PanelDescription, PanelError, read_description
from sandbox.wes.folder import RunFolder
from sandbox.wes.settings import WesSettings

WORKFLOW_URL = "impute"
FETCH_SECONDS = 30  # of silence


class WorkflowError(Exception):
    """The run cannot be done as it was asked for; the text is for its owner."""


@dataclass(frozen=True)
class Wish:
    """The parameters of a run; `targets` are attachments' names or http(s) addresses, one for each chromosome."""

    targets: tuple[str, ...]
    panel: str
    build: str
    phasing: str
    r2_filter: float


def read_wish(folder: RunFolder) -> Wish:
    """Raises WorkflowError for another workflow, or parameters that make no sense."""
    workflow = folder.read_workflow()
    if workflow != WORKFLOW_URL:
        raise WorkflowError(f"This site runs the workflow '{WORKFLOW_URL}' only, not '{workflow}'.")
    values = folder.read_parameters()
    if not isinstance(values, dict):
        raise WorkflowError("workflow_params must be an object.")
    targets = values.get("targets")
    targets = [targets] if isinstance(targets, str) else targets
    if not isinstance(targets, list) or not targets or not all(isinstance(name, str) and name for name in targets):
        raise WorkflowError("workflow_params.targets must be a file, or a list of files.")
    return Wish(
        targets=tuple(targets),
        panel=_read_text(values, "panel"),
        build=_read_text(values, "build"),
        phasing=str(values.get("phasing") or "no_phasing"),
        r2_filter=_read_number(values.get("r2_filter") or 0),
    )


def _read_text(values: dict[str, Any], name: str) -> str:
    value = values.get(name)
    if not isinstance(value, str) or not value:
        raise WorkflowError(f"workflow_params.{name} is missing.")
    return value


def _read_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise WorkflowError(f"workflow_params.r2_filter is not a number: {value!r}.") from None


def find_panel(settings: WesSettings, wish: Wish) -> Path:
    """The folder of the panel with the wished id. Raises WorkflowError."""
    known: dict[str, tuple[Path, PanelDescription]] = {}
    for folder in sorted(settings.panels.iterdir()) if settings.panels.is_dir() else []:
        try:
            description = read_description(folder)
        except PanelError:
            continue
        known[description.id] = folder, description
    if wish.panel not in known:
        raise WorkflowError(f"This site has no panel '{wish.panel}'. It has: {', '.join(sorted(known)) or 'none'}.")
    folder, description = known[wish.panel]
    if wish.build != description.build:
        raise WorkflowError(f"The data are {wish.build}, but the panel is {description.build}; there is no lift-over.")
    return folder


def place_target(folder: RunFolder, target: str, number: int, is_stopped: Callable[[], bool]) -> Path:
    """The file of a target: an attachment, or what lies at an address (given up when the run is stopped).

    Raises WorkflowError, and OSError when the network fails. Addresses may be signed, so they are told nowhere.
    """
    if urlsplit(target).scheme in ("http", "https"):
        return _fetch(target, folder.exe / f"target-{number}.vcf.gz", is_stopped)
    path = (folder.exe / target).resolve()
    if not path.is_relative_to(folder.exe.resolve()) or not path.is_file():
        raise WorkflowError(f"The target '{target}' is neither an attachment of the run nor an http(s) address.")
    return path


def _fetch(url: str, path: Path, is_stopped: Callable[[], bool]) -> Path:
    try:
        with urllib.request.urlopen(url, timeout=FETCH_SECONDS) as answer, path.open("wb") as file:  # noqa: S310
            while not is_stopped() and (piece := answer.read(1024**2)):
                file.write(piece)
            length = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        host = urlsplit(url).hostname
        raise WorkflowError(f"The target could not be fetched: {host} answered {error.code}.") from None
    if length is not None and path.stat().st_size != int(length) and not is_stopped():
        raise ConnectionError("The target came in part only.")
    return path


def build_options(settings: WesSettings, wish: Wish) -> list[str]:
    """The engine's options that are the same for every chromosome."""
    return [
        *("--engine", settings.engine),
        *("--processes", str(settings.processes)),
        *("--chunk-size", str(settings.chunk_size)),
        *("--overlap", str(settings.overlap)),
        *("--phasing", wish.phasing),
        *("--r2-filter", str(wish.r2_filter)),
    ]
