"""What a site says of itself, for curators: what it offers, how it is set up, and what can be counted on there."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class OfferedPanel:
    """A panel as the site lists it: `panel_id` is what a submission must carry."""

    panel_id: str
    name: str
    populations: tuple[str, ...]
    build: Literal["hg19", "hg38"] | None = None


@dataclass(frozen=True)
class SiteLimits:
    """What one job may be; None where there is no limit, or nobody told one.

    `told`: the site itself said so. Otherwise these are the defaults of its software, which the site may have changed.
    """

    told: bool = False
    min_samples: int | None = None
    max_samples: int | None = None
    max_file_size_mb: int | None = None
    jobs_at_once: int | None = None
    downloads_per_file: int | None = None


@dataclass(frozen=True)
class Capabilities:
    """What the platform can count on; None: the site's interface leaves it open.

    `lists_panels`: the catalogue of panels can be read. `finds_by_mark`: a submission whose answer was lost is found
    again. `cancels`: a run really ends there. `hands_out_results`: results can be fetched without a disk in common.
    `resumes_downloads`: a broken download goes on where it broke. `takes_files`: input travels with the submission.
    `restarts`: a job that the site gave up is begun anew there, as the same job. `deletes`: an ended job's files can be
    removed there with the account that is held.
    """

    lists_panels: bool | None = None
    finds_by_mark: bool | None = None
    cancels: bool | None = None
    hands_out_results: bool | None = None
    resumes_downloads: bool | None = None
    takes_files: bool | None = None
    restarts: bool | None = None
    deletes: bool | None = None


@dataclass(frozen=True)
class EngineParameter:
    name: str
    type: str
    default: str | None


@dataclass(frozen=True)
class WorkflowFacts:
    """A WES server's service-info. Tables are (name, versions); addresses are foreign text, not to be trusted."""

    wes_versions: tuple[str, ...]
    types: tuple[tuple[str, tuple[str, ...]], ...]
    engines: tuple[tuple[str, tuple[str, ...]], ...]
    protocols: tuple[str, ...]
    parameters: tuple[EngineParameter, ...]
    tags: tuple[tuple[str, str], ...]
    organization: str = ""
    description: str = ""
    contact: str = ""
    documentation: str = ""
    auth_instructions: str = ""


@dataclass(frozen=True)
class SiteDescription:
    """`panels` None: the site tells no list, for the reason in `panels_note`; an empty one is a list without panels.

    `maintenance` is empty where the site works, else its own words. `counts`: (what, how many), such as jobs by state.
    """

    name: str
    software: str
    version: str | None
    apps: tuple[str, ...] = ()
    panels: tuple[OfferedPanel, ...] | None = None
    panels_note: str = ""
    maintenance: str = ""
    limits: SiteLimits = SiteLimits()
    capabilities: Capabilities = Capabilities()
    counts: tuple[tuple[str, int], ...] = ()
    workflows: WorkflowFacts | None = None
