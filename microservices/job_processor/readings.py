"""Jobs as people read them, again and again while their runs go on: one statement, and no objects of the ORM.

What belongs to a person is always asked for as that person.
"""

from collections.abc import Mapping
from functools import lru_cache
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, TextClause, text

from microservices.job_processor.models import Job
from microservices.job_processor.queries import JOB_ORDER
from microservices.job_processor.schemas import JobQuery
from microservices.kernel.auth import Principal
from microservices.kernel.pagination import find_sort, read_cursor, write_cursor

JobRows = list[Row[Any]]
"""A job: one row for each of its runs, in their order, each with what is the job's own."""

_OWN = "job.organization_id = CAST(:organization_id AS uuid) AND job.owner_id = CAST(:owner_id AS uuid)"
_FILTERS = {
    "status": "job.status = :status",
    "service_id": "EXISTS (SELECT FROM job_runs WHERE job_id = job.id AND service_id = CAST(:service_id AS uuid))",
    "q": "job.name ILIKE '%' || :q || '%' ESCAPE '/'",
    "created_after": "job.created_at > :created_after",
}
_READ = """
    WITH page AS (SELECT * FROM imputation_jobs AS job WHERE {where} {after} ORDER BY {order} LIMIT :most)
    SELECT counted.total, job.id AS job_id, job.name, job.status AS job_status, job.created_at, job.started_at,
        job.finished_at AS job_finished_at, job.parameters,
        ARRAY(SELECT file_id FROM job_inputs WHERE job_id = job.id ORDER BY position) AS input_file_ids,
        (SELECT coalesce(sum(size), 0)::bigint FROM job_inputs WHERE job_id = job.id) AS input_bytes,
        run.id, run.service_id, run.panel_id, run.status, run.progress, run.external_job_id, run.external_status,
        run.queue_position, (SELECT count(*) FROM run_attempts WHERE run_id = run.id) AS attempts, run.message,
        run.error, run.submitted_at, run.finished_at, run.results, run.cancel_requested_at, run.move_requested_at,
        run.next_action_at, run.setbacks, run.lease_until, run.choices, run.choice
    FROM (SELECT count(*) AS total FROM imputation_jobs AS job WHERE {where}) AS counted
    LEFT JOIN page AS job ON true LEFT JOIN job_runs AS run ON run.job_id = job.id
    ORDER BY {order}, run.position
"""
_BY_ID = text(_READ.format(where="job.id = CAST(:id AS uuid)", after="", order="job.id"))
_OWN_BY_ID = text(_READ.format(where=f"job.id = CAST(:id AS uuid) AND {_OWN}", after="", order="job.id"))


@lru_cache(maxsize=256)
def _write_list(filters: tuple[str, ...], column: str, descending: bool, goes_on: bool) -> TextClause:
    where = " AND ".join((_OWN, *(_FILTERS[name] for name in filters)))
    order = "{0} {1}, job.id {1}".format(f"job.{column}", "DESC" if descending else "ASC")
    after = f"AND (job.{column}, job.id) {'<' if descending else '>'} (:value, CAST(:key AS uuid))" if goes_on else ""
    return text(_READ.format(where=where, after=after, order=order))


def _name_owner(caller: Principal) -> dict[str, str]:
    user_id, organization_id = caller.person
    return {"organization_id": str(organization_id), "owner_id": str(user_id)}


def read_own_job(connection: Connection, caller: Principal, job_id: UUID) -> JobRows:
    """Empty where there is no such job, or it is somebody else's."""
    rows = connection.execute(_OWN_BY_ID, {"id": str(job_id), "most": 1, **_name_owner(caller)}).all()
    return [row for row in rows if row.job_id is not None]


def read_job(connection: Connection, job_id: UUID) -> JobRows:
    """Anybody's."""
    return list(connection.execute(_BY_ID, {"id": str(job_id), "most": 1}))


def list_own_jobs(connection: Connection, caller: Principal, query: JobQuery) -> tuple[list[JobRows], str | None, int]:
    """(the page, the cursor of the next, how many there are on all pages)."""
    column, descending = find_sort(query.sort, JOB_ORDER)
    given = _read_filters(query)
    statement = _write_list(tuple(given), column.key, descending, query.cursor is not None)
    if query.cursor is not None:
        value, key = read_cursor(query.cursor, query.sort, column)
        given |= {"value": value, "key": str(key)}
    rows = connection.execute(statement, given | _name_owner(caller) | {"most": query.limit + 1}).all()
    jobs = [list(group) for job_id, group in groupby(rows, lambda row: row.job_id) if job_id is not None]
    page = jobs[: query.limit]
    cursor = None
    if len(jobs) > query.limit:
        last = page[-1][0]
        value = last.job_status if column.key == Job.status.key else getattr(last, column.key)
        cursor = write_cursor(query.sort, value, last.job_id)
    return page, cursor, rows[0].total


def _read_filters(query: JobQuery) -> dict[str, Any]:
    """What the list is narrowed by; in `q` nothing has a meaning of its own."""
    words = query.q and query.q.replace("/", "//").replace("%", "/%").replace("_", "/_")
    service_id = query.service_id and str(query.service_id)
    given: Mapping[str, Any] = {
        "status": query.status,
        "service_id": service_id,
        "q": words,
        "created_after": query.created_after,
    }
    return {name: value for name, value in given.items() if value}
