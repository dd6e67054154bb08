"""Rows as people see them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from itertools import pairwise
from typing import Any
from uuid import UUID

from microservices.contracts.file_manager import ResultRecord
from microservices.job_processor.logic.accuracy import BIN_EDGES, Tally, add_up, choose_accuracy, read_tally
from microservices.job_processor.logic.coverage import order_chromosome, read_coverage, tell_losses
from microservices.job_processor.logic.estimates import Kind, Stay, estimate_stay
from microservices.job_processor.logic.failover import drop_taken
from microservices.job_processor.logic.lifecycle import average_progress
from microservices.job_processor.models import (
    FINAL_STATUSES,
    Job,
    JobInput,
    ResidencyDecision,
    Run,
    RunSummary,
    StatusUpdate,
)
from microservices.job_processor.paging import PageQuery, cut_page, read_cursor
from microservices.job_processor.readings import JobRows, RunRow
from microservices.job_processor.schemas import (
    AccuracyBin,
    ChromosomeCoverage,
    CoverageGap,
    ResidencyDecisionView,
    ResultsSummary,
    RunError,
    RunSummaryView,
    StatusUpdateView,
)
from microservices.job_processor.wishes import Choice
from microservices.kernel.db import Cursor, utc_now
from microservices.kernel.pagination import Page


def show_job(cursor: Cursor, runs: JobRows) -> dict[str, Any]:
    """The fields of a `JobView`, which the routes send as they are."""
    job = runs[0]
    return {
        "id": job.job_id,
        "name": job.name,
        "status": job.job_status,
        "progress": average_progress((run.status, run.progress) for run in runs),
        "created_at": job.created_at,
        "started_at": job.started_at,
        "finished_at": job.job_finished_at,
        "input_file_ids": job.input_file_ids,
        "parameters": job.parameters,
        # Jobs of the first version said nothing of their mode; they must be shown all the same.
        "runs": [_show_run(cursor, run, runs, job.parameters.get("mode", "")) for run in runs],
    }


def _show_run(cursor: Cursor, run: RunRow, siblings: JobRows, mode: str) -> dict[str, Any]:
    kind = Kind(run.service_id, run.panel_id, mode)
    estimate = estimate_stay(cursor, Stay(kind, run.status, run.submitted_at, run.input_bytes))
    return {
        "id": run.id,
        "service_id": run.service_id,
        "panel_id": run.panel_id,
        "status": run.status,
        "progress": run.progress,
        "external_job_id": run.external_job_id,
        "external_status": run.external_status,
        "queue_position": run.queue_position,
        "attempts": run.attempts,
        "message": run.message,
        "next_try_at": _find_next_try(run),
        "error": run.error and {name: run.error[name] for name in RunError.model_fields},
        "submitted_at": run.submitted_at,
        "finished_at": run.finished_at,
        "results": run.results,
        "alternates": _list_alternates(run, siblings),
        "cancel_requested_at": run.cancel_requested_at,
        "move_requested_at": run.move_requested_at,
        "estimated_finish_at": estimate.finish_at,
        "is_slow": estimate.is_slow,
        "pace": estimate.pace,
    }


def _list_alternates(run: RunRow, siblings: JobRows) -> list[dict[str, str]]:
    if not run.choices:
        return []
    later = run.choices[run.choice + 1 :]
    others = ((other.service_id, other.panel_id, other.status) for other in siblings if other.id != run.id)
    return [{name: one[name] for name in Choice.model_fields} for one in drop_taken(later, others)]


def _find_next_try(run: RunRow) -> datetime | None:
    """None for a run that goes its way, has ended, or is being tried now."""
    is_held = run.status == "waiting_for_site" or (run.setbacks > 0 and run.status not in FINAL_STATUSES)
    is_leased = run.lease_until is not None and run.lease_until > utc_now()
    return run.next_action_at if is_held and not is_leased else None


def page_history(rows: Sequence[StatusUpdate], query: PageQuery, total: int) -> Page[StatusUpdateView]:
    page = cut_page(rows, query, total, lambda row: str(row.id))
    return Page(items=[show_update(row) for row in page.items], next_cursor=page.next_cursor, total=total)


def page_decisions(rows: Sequence[ResidencyDecision], query: PageQuery, total: int) -> Page[ResidencyDecisionView]:
    page = cut_page(rows, query, total, lambda row: str(row.id))
    items = [ResidencyDecisionView.model_validate(row) for row in page.items]
    return Page(items=items, next_cursor=page.next_cursor, total=total)


def page_results(results: Iterable[ResultRecord], query: PageQuery) -> Page[ResultRecord]:
    """By run and name; a job has few enough to be listed here from all of them."""
    ordered = sorted(results, key=_name_result)
    after = read_cursor(query)
    rows = [result for result in ordered if _name_result(result) > after]
    return cut_page(rows[: query.limit + 1], query, len(ordered), _name_result)


def _name_result(result: ResultRecord) -> str:
    return f"{result.run_id}/{result.filename}"


def show_update(update: StatusUpdate) -> StatusUpdateView:
    return StatusUpdateView.model_validate(update, from_attributes=True)


def show_summaries(job: Job, summaries: Mapping[UUID, Sequence[RunSummary]]) -> ResultsSummary:
    sites_in = _count_sites(job.inputs)
    return ResultsSummary(
        runs=[
            _show_summary(run, sites_in, [read_tally(row.tally) for row in summaries.get(run.id, ())])
            for run in job.runs
            if run.status == "completed" and (run.id in summaries or run.coverage is not None)
        ]
    )


def _count_sites(inputs: Sequence[JobInput]) -> int | None:
    """None for a job that was made before this was noted."""
    numbers = [source.variants for source in inputs if source.variants is not None]
    return sum(numbers) if len(numbers) == len(inputs) else None


def _show_summary(run: Run, sites_in: int | None, tallies: list[Tally]) -> RunSummaryView:
    tally = add_up(choose_accuracy(tallies))
    coverage = read_coverage(run.coverage) if run.coverage is not None else None
    return RunSummaryView(
        run_id=run.id,
        service_id=run.service_id,
        panel_id=run.panel_id,
        sites_in=sites_in,
        sites_total=tally.sites,
        sites_imputed=tally.sites - tally.typed,
        bins=[
            AccuracyBin(maf_over=over, maf_up_to=up_to, mean_r2=part.mean_r2, sites=part.sites)
            for (over, up_to), part in zip(pairwise(BIN_EDGES), tally.bins, strict=True)
        ],
        chromosomes=[
            ChromosomeCoverage(name=name, sites=place.sites, start=place.start, end=place.end)
            for name, place in sorted(tally.chromosomes.items(), key=lambda item: order_chromosome(item[0]))
        ],
        chromosomes_expected=coverage.expected if coverage else None,
        missing=coverage.missing if coverage else [],
        gaps=[CoverageGap(**asdict(gap)) for gap in coverage.gaps] if coverage else [],
        warning=(tell_losses(coverage) or None) if coverage else None,
    )
