"""Files, and jobs in every state."""

from typing import Any

from microservices.contracts.file_manager import FileRecord, QualityRecord, ResultRecord
from microservices.job_processor.schemas import (
    JobView,
    QuotasView,
    ResidencyDecisionView,
    ResultsSummary,
    RunView,
    StatusUpdateView,
    TemplateView,
)
from microservices.notification.schemas import NotificationView
from tests.e2e.exhibits.catalogue import PANELS, SITES
from tests.e2e.exhibits.shapes import MIB, before, name_id, shape

FILES = [
    shape(
        FileRecord,
        {"id": name_id(name), "filename": name, "size": size, "sha256": "4b" * 32, "status": "ready"},
        {"created_at": before(age)},
    )
    for name, size, age in (("cohort.chr20.vcf.gz", 48 * MIB, 12), ("pilot.vcf.gz", 3 * MIB, 4_000))
]
QUALITY = shape(
    QualityRecord,
    {"verdict": "warn", "build": "hg38", "chromosomes": ["chr20"], "samples": 1_204, "variants": 61_532},
    {"phased": True, "has_chr_prefix": True},
    {
        "issues": [
            {"code": "multiallelic", "severity": "warning", "count": 312, "message": "312 sites have several alleles."}
            | {"fix": "Nothing needs to be done: sites leave them out."},
            {"code": "monomorphic", "severity": "info", "count": 95, "message": "95 sites do not vary in the cohort."}
            | {"fix": "Nothing needs to be done."},
        ]
    },
)


def show_run(panel: Any, status: str, progress: float, message: str, **more: Any) -> Any:
    return shape(
        RunView,
        {"id": name_id("run" + panel["id"] + status), "service_id": panel["service_id"], "panel_id": panel["id"]},
        {"status": status, "progress": progress, "message": message, "external_job_id": "job-20260302-07"},
        {"attempts": 1, "submitted_at": before(40), "results": 0, "alternates": [], "is_slow": False, "pace": ""},
        more,
    )


def show_job(
    name: str, status: str, progress: float, *runs: Any, age: float = 42, took: float = 31, wishes: Any = None
) -> Any:
    ended = None if status == "running" else before(age - took)
    return shape(
        JobView,
        {"id": name_id(name), "name": name, "status": status, "progress": progress, "created_at": before(age)},
        {"started_at": before(age), "finished_at": ended, "input_file_ids": [FILES[0]["id"]], "runs": list(runs)},
        {"parameters": {"build": "hg38", "phasing": "eagle", "population": "AFR", "r2_filter": 0.3} | (wishes or {})},
    )


_TROUBLE = {"code": "site_refused", "whose": "input", "message": "The site found 12 samples; it takes 20 and more."}
_TROUBLE |= {"fix": "Submit a cohort of at least 20 samples, or choose another site."}
DONE = show_job(
    "Chromosome 20, all batches",
    "completed",
    100,
    show_run(PANELS[0], "completed", 100, "All 3 result files are stored and checked.", results=3),
)
MIXED = show_job(
    "Pilot, first batch",
    "running",
    54,
    show_run(
        PANELS[2],
        "running",
        47,
        "Imputation (8/17)",
        estimated_finish_at=before(-35),
        is_slow=True,
        pace="Far slower than usual at this site: 41 minutes, usually 12 minutes.",
        alternates=[{"service_id": PANELS[3]["service_id"], "panel_id": PANELS[3]["id"]}],
    ),
    show_run(PANELS[3], "failed", 12, "", error=_TROUBLE, finished_at=before(20)),
    wishes={"priority": "high", "residency": {"countries": ["EG", "KE", "ZA"]}},
)
DECISIONS = [
    shape(
        ResidencyDecisionView,
        {"run_id": MIXED["runs"][0]["id"], "decided_at": before(42), "service_id": SITES[1]["id"], "country": "KE"},
        {"site_name": SITES[1]["name"], "base_url": SITES[1]["base_url"], "countries_allowed": ["EG", "KE", "ZA"]},
        {
            "is_allowed": True,
            "owner_id": name_id("owner"),
            "reason": "'Eastern workflow hub' is in KE, where this job's data may go.",
        },
    )
]
JOBS = [
    MIXED,
    DONE,
    show_job("Replication cohort", "partly_completed", 100, show_run(PANELS[2], "completed", 100, ""), age=2_000),
    show_job("Test of the new chip", "failed", 12, show_run(PANELS[3], "failed", 12, ""), age=5_000),
    show_job("Chromosome 22", "cancelled", 30, show_run(PANELS[0], "cancelled", 30, ""), age=9_000),
]


def show_history(run: Any, *steps: tuple[int, str, float, str]) -> list[Any]:
    """`steps`: minutes ago, status, progress, message."""
    return [
        shape(
            StatusUpdateView,
            {"run_id": run["id"], "status": status, "progress": progress, "message": message},
            {"occurred_at": before(ago)},
        )
        for ago, status, progress, message in steps
    ]


_BEGIN = ((42, "submitting", 0, "Sending to the site."), (41, "running", 5, "The site accepted the job."))
_MOVED_TO = "from 'African genomes' at 'Southern imputation server' to 'Eastern cohorts' at 'Eastern workflow hub'"
_MOVED = (43, "waiting_for_site", 0, f"The run was moved {_MOVED_TO}. The site has been full for 15 minutes.")
HISTORIES = {
    DONE["id"]: show_history(
        DONE["runs"][0],
        *_BEGIN,
        (30, "running", 60, "Imputation (10/17)"),
        (12, "collecting", 95, "The site has finished; its results are being fetched."),
        (11, "completed", 100, "All 3 result files are stored and checked."),
    ),
    MIXED["id"]: [
        *show_history(MIXED["runs"][0], _MOVED, *_BEGIN, (20, "running", 47, "Imputation (8/17)")),
        *show_history(MIXED["runs"][1], *_BEGIN, (20, "failed", 12, "The site refused the input.")),
    ],
}
RESULTS = [
    shape(
        ResultRecord,
        {"id": name_id(name), "run_id": DONE["runs"][0]["id"], "filename": name, "kind": kind, "size": size},
        {"sha256": "c1" * 32, "download_url": f"/api/v1/files/{name_id(name)}/content"},
    )
    for name, kind, size in (
        ("chr20.dose.vcf.gz", "imputed_data", 812 * MIB),
        ("chr20.info.gz", "imputed_data", 9 * MIB),
        ("qc_report.txt", "quality_report", 460),
    )
]
_BINS = (
    (0.0, 0.001, 0.31, 61_000),
    (0.001, 0.005, 0.58, 42_100),
    (0.005, 0.01, 0.79, 18_040),
    (0.01, 0.05, 0.93, 25_300),
    (0.05, 0.5, 0.985, 38_420),
)
SUMMARY = shape(
    ResultsSummary,
    {
        "runs": [
            {"run_id": DONE["runs"][0]["id"], "service_id": PANELS[0]["service_id"], "panel_id": PANELS[0]["id"]}
            | {"sites_in": 61_532, "sites_total": 184_860, "sites_imputed": 123_328}
            | {"bins": [dict(zip(("maf_over", "maf_up_to", "mean_r2", "sites"), row, strict=True)) for row in _BINS]}
            | {"chromosomes": [{"name": "chr20", "sites": 184_860, "start": 60_137, "end": 64_334_167}]}
            | {"chromosomes_expected": ["chr20"], "missing": []}
            | {"gaps": [{"name": "chr20", "start": 26_000_001, "end": 29_000_000, "typed_sites": 214}], "warning": None}
        ]
    },
)
NOTIFICATIONS = [
    shape(
        NotificationView,
        {"id": name_id(title), "type": "job", "title": title, "message": message, "created_at": before(age)},
        {"data": {"job_id": DONE["id"]}, "read_at": before(age) if read else None},
    )
    for title, message, age, read in (
        ("Results are ready", "All runs of 'Chromosome 20, all batches' are completed.", 11, False),
        (
            "A run has failed",
            "'Pilot, first batch' at 'Northern imputation server': what to do is on its page.",
            20,
            False,
        ),
        ("A file has been checked", "'cohort.chr20.vcf.gz' passes, with warnings.", 50, True),
    )
]


def show_template(name: str, panel: Any, **more: Any) -> Any:
    target = {"service_id": panel["service_id"], "panel_id": panel["id"], "alternates": more.pop("alternates", [])}
    return shape(
        TemplateView,
        {"id": name_id(name), "name": name, "created_at": before(9_000), "updated_at": before(900), "is_own": True},
        {"build": "hg38", "phasing": "eagle", "population": "AFR", "r2_filter": 0.3, "mode": "imputation"},
        {"targets": [target]},
        more,
    )


_ELSEWHERE = {"service_id": PANELS[2]["service_id"], "panel_id": PANELS[2]["id"]}
TEMPLATES = [
    show_template("Batches of the cohort", PANELS[0], alternates=[_ELSEWHERE], priority="high", shared=True)
    | {"residency": {"countries": ["KE", "ZA"]}},
    show_template("Replication", PANELS[2], is_own=False, shared=True),
]
QUOTAS = shape(
    QuotasView,
    {"tier": "standard", "month_ends_at": "2026-04-01T00:00:00Z"},
    {
        whose: {
            "running_runs": {"used": runs, "most": 50},
            "jobs_per_month": {"used": 12, "most": None},
            "input_bytes_per_month": {"used": 300 * MIB, "most": most},
        }
        for whose, runs, most in (("person", 49, 1 << 40), ("organization", 49, None))
    },
)
