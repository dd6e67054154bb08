"""A new job: everything that can be known to fail at a site is refused here, before a byte travels."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import insert
from sqlalchemy.orm import Session

from microservices.contracts.curation import PanelDocument
from microservices.contracts.file_manager import FileRecord, InputRecord, QualityRecord
from microservices.contracts.job_processor import JOB_UPDATED, JobUpdated
from microservices.contracts.registry import SiteRecord
from microservices.job_processor.errors import (
    FileNotReadyError,
    FileRejectedError,
    JobRefusedError,
    PanelNotFoundError,
)
from microservices.job_processor.logic.lifecycle import write_news
from microservices.job_processor.logic.residency import explain_refusal
from microservices.job_processor.models import PRIORITIES, Job, JobInput, Run
from microservices.job_processor.peers import Peers
from microservices.job_processor.wishes import Choice, JobPlan, JobSettings, Target
from microservices.kernel.auth import Principal
from microservices.kernel.db import utc_now

_MIB = 1 << 20
_TAKES_LIST = re.compile(r"\{\{\s*inputs\.locations\s*\}\}")

CheckedInput = tuple[FileRecord, QualityRecord]
CheckedTarget = tuple[SiteRecord, PanelDocument]


class Created(NamedTuple):
    """`input_bytes`: of all inputs together."""

    job_id: UUID
    run_ids: list[UUID]
    input_bytes: int


def create_job(session: Session, peers: Peers, caller: Principal, wish: JobPlan) -> Created:
    """Check the wish as its owner, and write job, runs and event in the running transaction.

    Our other services are asked before the session's first statement, so no connection waits for them.
    """
    inputs = [_check_input(record, wish) for record in peers.list_inputs(wish.input_file_ids, *caller.person)]
    _check_inputs_together(inputs)
    targets = check_targets(peers, wish, inputs)
    job = _describe_job(caller, wish)
    runs = [
        _describe_run(job, n, wish, target, choices)
        for n, (target, choices) in enumerate(zip(wish.targets, targets, strict=True))
    ]
    connection = session.connection()
    connection.execute(insert(Job), job)
    connection.execute(insert(JobInput), [_describe_input(job, n, *checked) for n, checked in enumerate(inputs)])
    connection.execute(insert(Run), runs)
    news = JobUpdated.model_validate(
        {**job, "job_id": job["id"], "progress": 0, "message": "The job was accepted.", "occurred_at": utc_now()}
    )
    write_news(session, JOB_UPDATED, news)
    return Created(job["id"], [run["id"] for run in runs], sum(file.size for file, _quality in inputs))


def _describe_job(caller: Principal, wish: JobPlan) -> dict[str, Any]:
    user_id, organization_id = caller.person
    parameters = wish.model_dump(mode="json", exclude={"name", "input_file_ids", "targets", "template_id"})
    return {
        "id": uuid4(),
        "organization_id": organization_id,
        "owner_id": user_id,
        "name": wish.name,
        "status": "queued",
        "parameters": parameters,
    }


def _describe_input(job: Mapping[str, Any], position: int, file: FileRecord, quality: QualityRecord) -> dict[str, Any]:
    return {
        "job_id": job["id"],
        "position": position,
        "file_id": file.id,
        "filename": file.filename,
        "size": file.size,
        "sha256": file.sha256,
        "variants": quality.variants,
        "sites_per_mb": quality.sites_per_mb or {name: [] for name in quality.chromosomes},
    }


def _describe_run(
    job: Mapping[str, Any], position: int, wish: JobPlan, target: Target, choices: Sequence[CheckedTarget]
) -> dict[str, Any]:
    """`choices`: the target itself, and its alternates."""
    record, panel = choices[0]
    return {
        "id": uuid4(),
        "job_id": job["id"],
        "position": position,
        "organization_id": job["organization_id"],
        "owner_id": job["owner_id"],
        "service_id": record.site.id,
        "panel_id": panel.id,
        "panel_key": panel.panel_id,
        "recipe": panel.recipe,
        "choices": [_describe_choice(*choice) for choice in choices] if len(choices) > 1 else [],
        "failover_after_s": target.failover_after_s,
        "priority": PRIORITIES[wish.priority],
        "message": "Waiting to be sent.",
    }


def _describe_choice(record: SiteRecord, panel: PanelDocument) -> dict[str, Any]:
    return {
        "service_id": str(record.site.id),
        "panel_id": str(panel.id),
        "panel_key": panel.panel_id,
        "recipe": panel.recipe,
        "site_name": record.site.name,
        "panel_name": panel.name,
    }


def _check_input(record: InputRecord, wish: JobPlan) -> CheckedInput:
    file, quality = record.file, record.quality
    if file.status == "rejected":
        raise FileRejectedError(f"'{file.filename}' did not pass its check: see /api/v1/files/{file.id}/qc.")
    if file.status in ("uploaded", "checking") or quality is None:
        raise FileNotReadyError(f"'{file.filename}' is still being checked. Try again in a few seconds.")
    if quality.build is not None and quality.build != wish.build:
        raise JobRefusedError(
            f"'{file.filename}' is on {quality.build}, the job says {wish.build}. Set the build of the file."
        )
    if wish.phasing == "no_phasing" and quality.phased is False:
        raise JobRefusedError(f"'{file.filename}' is not phased. Choose a phasing program, or phase it first.")
    if not file.filename.endswith(".vcf.gz"):
        raise JobRefusedError(f"'{file.filename}' must be a bgzip-compressed VCF whose name ends in .vcf.gz.")
    return file, quality


def _check_inputs_together(inputs: list[CheckedInput]) -> None:
    """Sites take one file a chromosome, and the later of two files of one name would replace the earlier."""
    names = Counter(file.filename for file, _quality in inputs)
    chromosomes = Counter(name.removeprefix("chr") for _file, quality in inputs for name in quality.chromosomes)
    for what, counts in (("file name", names), ("chromosome", chromosomes)):
        twice = [value for value, count in counts.items() if count > 1]
        if twice:
            raise JobRefusedError(f"The {what} {twice[0]} occurs in more than one input. Give each only once.")
    if len({quality.samples for _file, quality in inputs}) > 1:
        raise JobRefusedError("All inputs of a job must hold the same samples; their numbers of samples differ.")


def check_targets(peers: Peers, wish: JobSettings, inputs: list[CheckedInput]) -> list[list[CheckedTarget]]:
    """Each target with its alternates; of a job, or (without inputs) of a template, what cannot succeed is refused."""
    targets = wish.targets or []
    _check_targets_differ(targets)
    choices = [(target, *target.alternates) for target in targets]
    get_site = cache(peers.get_site)  # many targets are panels of one site
    return [[_check_target(get_site, choice, wish, inputs) for choice in alike] for alike in choices]


def _check_targets_differ(targets: list[Target]) -> None:
    """The same panel at the same site twice would only impute the same twice, or go on where it cannot."""
    groups: list[Sequence[Choice]] = [targets, *([target, *target.alternates] for target in targets)]
    for alike in groups:
        if len({(choice.service_id, choice.panel_id) for choice in alike}) < len(alike):
            message = "A panel is named twice among the targets, or a target's alternates. Name each only once."
            raise JobRefusedError(message, code="duplicate_target")


def _check_target(
    get_site: Callable[[UUID], SiteRecord], target: Choice, wish: JobSettings, inputs: list[CheckedInput]
) -> CheckedTarget:
    record = get_site(target.service_id)
    panel = next((panel for panel in record.site.panels if panel.id == target.panel_id), None)
    if panel is None:
        raise PanelNotFoundError(f"'{record.site.name}' has no panel {target.panel_id}.")
    if not record.site.is_active or not panel.is_active:
        raise JobRefusedError(f"'{panel.name}' at '{record.site.name}' is not in use. Choose another panel.")
    _check_recipe(record, panel, inputs)
    _check_population(panel, wish)
    _check_limits(record, inputs)
    _check_residency(record, wish)
    return record, panel


def _check_recipe(record: SiteRecord, panel: PanelDocument, inputs: list[CheckedInput]) -> None:
    """A workflow site runs what the panel's recipe says, and takes several files only where the recipe has a list."""
    if record.site.api_type != "ga4gh":
        return
    if panel.recipe is None:
        raise JobRefusedError(
            f"'{panel.name}' has no recipe yet, so '{record.site.name}' cannot run it. Ask a curator."
        )
    if len(inputs) > 1 and not _TAKES_LIST.search(json.dumps(panel.recipe)):
        raise JobRefusedError(
            f"'{panel.name}' at '{record.site.name}' takes one file. Submit one job for each.", code="one_file_only"
        )


def _check_population(panel: PanelDocument, wish: JobSettings) -> None:
    if wish.population is None or not panel.populations:
        return
    if wish.population.casefold() not in {name.casefold() for name in panel.populations}:
        choices = ", ".join(panel.populations)
        raise JobRefusedError(f"'{panel.name}' has no population '{wish.population}'. Choose one of: {choices}.")


def _check_limits(record: SiteRecord, inputs: list[CheckedInput]) -> None:
    site = record.site
    for file, quality in inputs:
        if site.max_file_size_mb is not None and file.size > site.max_file_size_mb * _MIB:
            raise JobRefusedError(
                f"'{file.filename}' is larger than '{site.name}' takes ({site.max_file_size_mb} MiB)."
            )
        if site.min_samples is not None and quality.samples < site.min_samples:
            raise JobRefusedError(
                f"'{site.name}' wants at least {site.min_samples} samples; '{file.filename}' has {quality.samples}."
            )
        if site.max_samples is not None and quality.samples > site.max_samples:
            raise JobRefusedError(
                f"'{site.name}' takes at most {site.max_samples} samples; '{file.filename}' has {quality.samples}."
            )


def _check_residency(record: SiteRecord, wish: JobSettings) -> None:
    refusal = explain_refusal(record.site, wish.residency.countries) if wish.residency else ""
    if refusal:
        raise JobRefusedError(refusal)
