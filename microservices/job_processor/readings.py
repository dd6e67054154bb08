"""Jobs as people read them, again and again while their runs go on: one statement, and no objects of the ORM.

What belongs to a person is always asked for as that person.
"""

from datetime import datetime
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from microservices.job_processor.models import Job
from microservices.job_processor.queries import JOB_ORDER
from microservices.job_processor.schemas import JobQuery
from microservices.kernel.auth import Principal
from microservices.kernel.db import Cursor
from microservices.kernel.pagination import find_sort, read_cursor, write_cursor


class RunRow(NamedTuple):
    """A run with what is its job's, in the order of `_COLUMNS`; ids are texts, as they are sent."""

    job_id: str
    name: str
    job_status: str
    created_at: datetime
    started_at: datetime | None
    job_finished_at: datetime | None
    parameters: dict[str, Any]
    input_file_ids: list[str]
    input_bytes: int
    id: str
    service_id: str
    panel_id: str
    status: str
    progress: float
    external_job_id: str | None
    external_status: str | None
    queue_position: int | None
    attempts: int
    message: str
    error: dict[str, Any] | None
    submitted_at: datetime | None
    finished_at: datetime | None
    results: int
    cancel_requested_at: datetime | None
    move_requested_at: datetime | None
    next_action_at: datetime
    setbacks: int
    lease_until: datetime | None
    choices: list[dict[str, Any]] | None
    choice: int


JobRows = list[RunRow]
"""A job: its runs in their order."""

_COLUMNS = """
    job.id::text, job.name, job.status, job.created_at, job.started_at, job.finished_at, job.parameters,
    ARRAY(SELECT file_id::text FROM job_inputs WHERE job_id = job.id ORDER BY position),
    (SELECT coalesce(sum(size), 0)::bigint FROM job_inputs WHERE job_id = job.id),
    run.id::text, run.service_id::text, run.panel_id::text, run.status, run.progress, run.external_job_id,
    run.external_status, run.queue_position, (SELECT count(*) FROM run_attempts WHERE run_id = run.id), run.message,
    run.error, run.submitted_at, run.finished_at, run.results, run.cancel_requested_at, run.move_requested_at,
    run.next_action_at, run.setbacks, run.lease_until, nullif(run.choices, '[]'), run.choice
"""
_OWN = "job.organization_id = %(organization_id)s AND job.owner_id = %(owner_id)s"
_BY_ID = f"SELECT {_COLUMNS} FROM imputation_jobs AS job JOIN job_runs AS run ON run.job_id = job.id"  # noqa: S608
_ANY_BY_ID = f"{_BY_ID} WHERE job.id = %(id)s ORDER BY run.position"
_OWN_BY_ID = f"{_BY_ID} WHERE job.id = %(id)s AND {_OWN} ORDER BY run.position"
_LIST = """
    WITH page AS (SELECT * FROM imputation_jobs AS job WHERE {where} {after} ORDER BY {order} LIMIT %(most)s)
    SELECT counted.total, {columns}
    FROM (SELECT count(*) AS total FROM imputation_jobs AS job WHERE {where}) AS counted
    LEFT JOIN page AS job ON true LEFT JOIN job_runs AS run ON run.job_id = job.id
    ORDER BY {order}, run.position
"""
_FILTERS = {
    "status": "job.status = %(status)s",
    "service_id": "EXISTS (SELECT FROM job_runs WHERE job_id = job.id AND service_id = %(service_id)s)",
    "q": "job.name ILIKE '%%' || %(q)s || '%%' ESCAPE '/'",
    "created_after": "job.created_at > %(created_after)s",
}


def read_own_job(cursor: Cursor, caller: Principal, job_id: UUID) -> JobRows:
    """Empty where there is no such job, or it is somebody else's."""
    cursor.execute(_OWN_BY_ID, {"id": str(job_id), **_name_owner(caller)})
    return [RunRow._make(row) for row in cursor.fetchall()]


def read_job(cursor: Cursor, job_id: UUID) -> JobRows:
    """Anybody's."""
    cursor.execute(_ANY_BY_ID, {"id": str(job_id)})
    return [RunRow._make(row) for row in cursor.fetchall()]


def list_own_jobs(cursor: Cursor, caller: Principal, query: JobQuery) -> tuple[list[JobRows], str | None, int]:
    """(the page, the cursor of the next, how many there are on all pages)."""
    column, descending = find_sort(query.sort, JOB_ORDER)
    given = _read_filters(query)
    statement = _write_list(tuple(given), column.key, descending, query.cursor is not None)
    if query.cursor is not None:
        value, key = read_cursor(query.cursor, query.sort, column)
        given |= {"value": value, "key": str(key)}
    cursor.execute(statement, given | _name_owner(caller) | {"most": query.limit + 1})
    found = cursor.fetchall()
    rows = [RunRow._make(row[1:]) for row in found if row[1] is not None]
    jobs = [list(group) for _job_id, group in groupby(rows, lambda row: row.job_id)]
    following = None
    if len(jobs) > query.limit:
        last = jobs[query.limit - 1][0]
        value = last.job_status if column.key == Job.status.key else getattr(last, column.key)
        following = write_cursor(query.sort, value, UUID(last.job_id))
    return jobs[: query.limit], following, found[0][0]


@lru_cache(maxsize=256)
def _write_list(filters: tuple[str, ...], column: str, descending: bool, goes_on: bool) -> str:
    where = " AND ".join((_OWN, *(_FILTERS[name] for name in filters)))
    order = "{0} {1}, job.id {1}".format(f"job.{column}", "DESC" if descending else "ASC")
    after = f"AND (job.{column}, job.id) {'<' if descending else '>'} (%(value)s, %(key)s)" if goes_on else ""
    return _LIST.format(where=where, after=after, order=order, columns=_COLUMNS)


def _name_owner(caller: Principal) -> dict[str, str]:
    user_id, organization_id = caller.person
    return {"organization_id": str(organization_id), "owner_id": str(user_id)}


def _read_filters(query: JobQuery) -> dict[str, Any]:
    """What the list is narrowed by; in `q` nothing has a meaning of its own."""
    words = query.q and query.q.replace("/", "//").replace("%", "/%").replace("_", "/_")
    service_id = query.service_id and str(query.service_id)
    given = {"status": query.status, "service_id": service_id, "q": words, "created_after": query.created_after}
    return {name: value for name, value in given.items() if value}
