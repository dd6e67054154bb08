"""`/admin/jobs/`: everybody's jobs out of a real job_processor, and what staff do with them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.test.utils import override_settings
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from django_app.imputation.job_desk import get_job_desk
from imputehub.local.postgresql import PostgresqlServer
from microservices.job_processor.main import build
from microservices.job_processor.models import Base, Job, JobInput, Run
from microservices.job_processor.settings import Settings
from microservices.kernel.migrations import migrate_database
from microservices.kernel.testing import serve_app
from tests.django_app.browsing import FormReader
from tests.django_app.catalogue import add_panel, add_site
from tests.django_app.conftest import House

JOBS = "/admin/jobs/"


@dataclass
class JobStore:
    """The jobs of a job_processor that Django asks."""

    database_url: str

    def add(self, name: str, status: str = "queued", *, owner: UUID | None = None, **run: Any) -> UUID:
        person = {"organization_id": uuid4(), "owner_id": owner or uuid4()}
        job = Job(name=name, status=status, parameters={"build": "hg38", "r2_filter": 0.3, "residency": None}, **person)
        job.inputs = [JobInput(position=0, file_id=uuid4(), filename="chr20.vcf.gz", size=2048, sha256="0" * 64)]
        fields = {"service_id": uuid4(), "panel_id": uuid4(), "panel_key": "k", "status": status, **run}
        if fields["status"] in ("running", "completed"):
            fields.setdefault("external_job_id", "job-at-the-site")
        job.runs = [Run(position=0, **person, **fields)]
        engine = create_engine(self.database_url)
        with Session(engine, expire_on_commit=False) as session:
            session.add(job)
            session.commit()
        engine.dispose()
        return job.id

    def clear(self) -> None:
        engine = create_engine(self.database_url)
        with engine.begin() as connection:
            for table in reversed(Base.metadata.sorted_tables):
                connection.execute(table.delete())
        engine.dispose()


@pytest.fixture(scope="session")
def running_jobs(
    running_house: House, postgresql: PostgresqlServer, redis_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, JobStore]]:
    url = postgresql.create_database()
    migrate_database("job_processor", url)
    values: dict[str, Any] = {
        "database_url": url,
        "client_secret": "unused",
        "redis_url": redis_url,
        "authority_url": running_house.environment["USER_SERVICE_URL"],
        "broker_url": f"{redis_url.rpartition('/')[0]}/1",
        "encryption_keys": Fernet.generate_key().decode(),
        "spool_dir": tmp_path_factory.mktemp("spool"),
    }
    with serve_app(build(Settings(**values))) as address:
        yield address, JobStore(url)


@pytest.fixture
def store(house: House, running_jobs: tuple[str, JobStore], monkeypatch: pytest.MonkeyPatch) -> Iterator[JobStore]:
    address, store = running_jobs
    monkeypatch.setattr(house.authority, "service_scopes", "jobs:staff")
    environment = settings.ENVIRONMENT.model_copy(update={"job_processor_url": address})
    with override_settings(ENVIRONMENT=environment):
        get_job_desk.cache_clear()
        yield store
    store.clear()
    get_job_desk.cache_clear()


def press(browser: httpx.Client, path: str) -> httpx.Response:
    """Open the page that asks, and say yes."""
    token = FormReader(browser.get(path).text).fields["csrfmiddlewaretoken"]
    return browser.post(path, data={"csrfmiddlewaretoken": token})


def list_shown(page: httpx.Response, *names: str) -> list[str]:
    assert page.status_code == 200
    return [name for name in names if f">{name}</a>" in page.text]


def test_the_list_shows_the_jobs_of_all_with_the_names_of_their_targets(store: JobStore, browser: httpx.Client) -> None:
    panel = add_panel(add_site())
    store.add("cohort A", "running", service_id=panel.service_id, panel_id=panel.pk, progress=40)
    owner = uuid4()
    store.add("<b>cohort</b>", "failed", owner=owner)
    page = browser.get(JOBS)
    assert list_shown(page, "cohort A", "&lt;b&gt;cohort&lt;/b&gt;") == ["cohort A", "&lt;b&gt;cohort&lt;/b&gt;"]
    assert f"{panel.name} at {panel.service.name}" in page.text
    assert "a panel that is no longer here at a site that is no longer here" in page.text
    assert "2 jobs, the newest first" in page.text
    assert f">{str(owner)[:8]}</a>" in page.text
    assert 'data-refresh-every="10"' in page.text


def test_jobs_are_found_by_text_status_site_and_day(store: JobStore, browser: httpx.Client) -> None:
    panel, owner = add_panel(add_site()), uuid4()
    at_site = store.add("alpha", "failed", service_id=panel.service_id, panel_id=panel.pk)
    store.add("beta", "queued", owner=owner)

    def find(**query: Any) -> list[str]:
        return list_shown(browser.get(JOBS, params=query), "alpha", "beta")

    assert find(q="ALPH") == ["alpha"]
    assert find(q=str(at_site)) == ["alpha"]
    assert find(q=str(owner)) == ["beta"]
    assert find(status="queued") == ["beta"]
    assert find(service_id=str(panel.service_id)) == ["alpha"]
    assert find(made_from="2000-01-01", made_until="2999-01-01") == ["alpha", "beta"]
    assert find(made_from="2999-01-01") == []
    assert find(made_until="2000-01-01") == []
    assert "There is no such job" in browser.get(JOBS, params={"q": "gamma"}).text


@pytest.mark.parametrize(
    "query",
    [
        {"status": "loud"},
        {"service_id": "x"},
        {"made_from": "yesterday"},
        {"cursor": "x"},
        {"q": "a\x00b"},
        {"q": "x" * 201},
    ],
)
def test_a_search_that_cannot_be_meant_is_no_fault_of_ours(
    store: JobStore, browser: httpx.Client, query: dict[str, str]
) -> None:
    assert browser.get(JOBS, params=query).status_code == 200


@pytest.mark.parametrize("day", [{"made_until": "9999-12-31"}, {"made_from": "0001-01-01"}])
def test_the_calendars_first_and_last_day_leave_nothing_out(
    store: JobStore, browser: httpx.Client, day: dict[str, str]
) -> None:
    store.add("cohort A")
    answer = browser.get(JOBS, params=day)
    assert answer.status_code == 200
    assert "cohort A" in answer.text


def test_pages_lead_to_older_jobs(store: JobStore, browser: httpx.Client) -> None:
    names = [f"job {number:02}" for number in range(30)]
    for name in names:
        store.add(name)
    first = browser.get(JOBS, params={"q": "job"})
    assert list_shown(first, *names) == names[5:]
    older = first.text.split('">Older jobs</a>')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert list_shown(browser.get(f"{JOBS}{older}"), *names) == names[:5]
    assert "Newest jobs" in browser.get(f"{JOBS}{older}").text


def test_the_page_of_a_job_shows_its_runs_and_its_history(store: JobStore, browser: httpx.Client) -> None:
    error = {"code": "bad_build", "message": "Wrong build.", "whose": "input", "fix": "Lift it over."}
    job_id = store.add("cohort A", "failed", external_job_id="site-job-7", message="It failed.", error=error)
    page = browser.get(f"{JOBS}{job_id}/").text
    for words in ("chr20.vcf.gz (2.0\u00a0KB)", "site-job-7", "It failed.", "Wrong build.", "Lift it over.", "hg38"):
        assert words in page
    assert "residency" not in page
    assert 'data-refresh-every="5"' in page
    assert browser.get(f"{JOBS}{uuid4()}/").status_code == 404


def test_staff_cancel_a_job_and_its_history_and_the_admin_tell_who(store: JobStore, browser: httpx.Client) -> None:
    job_id = store.add("cohort A")
    assert f"{JOBS}{job_id}/cancel/" in browser.get(JOBS).text
    page = press(browser, f"{JOBS}{job_id}/cancel/")
    assert page.url.path == f"{JOBS}{job_id}/"
    assert "The job is being cancelled." in page.text
    assert "Cancelled by curator@example.org (staff)." in page.text
    entry = LogEntry.objects.get()
    assert (entry.user.get_username(), entry.object_repr) == ("curator@example.org", "job cohort A")
    again = press(browser, f"{JOBS}{job_id}/cancel/")
    assert "The job is cancelled already" in again.text
    assert LogEntry.objects.count() == 1


def test_staff_retry_the_failed_runs_of_a_job(store: JobStore, browser: httpx.Client) -> None:
    job_id = store.add("cohort A", "failed")
    page = press(browser, f"{JOBS}{job_id}/retry/")
    assert "Failed runs were sent again by curator@example.org (staff)." in page.text
    assert "No run of this job has failed" in press(browser, f"{JOBS}{job_id}/retry/").text


def test_nothing_is_done_by_following_a_link(store: JobStore, browser: httpx.Client) -> None:
    job_id = store.add("cohort A")
    assert "Cancel this job?" in browser.get(f"{JOBS}{job_id}/cancel/").text
    assert browser.post(f"{JOBS}{job_id}/cancel/").status_code == 403
    assert "Cancelled by" not in browser.get(f"{JOBS}{job_id}/").text


def test_jobs_are_for_curators_and_administrators(store: JobStore, log_in: Callable[[str], httpx.Client]) -> None:
    job_id = store.add("cohort A")
    paths = (JOBS, f"{JOBS}{job_id}/", f"{JOBS}{job_id}/cancel/", f"{JOBS}{job_id}/retry/")
    admin, operator = log_in("admin@example.org"), log_in("operator@example.org")
    assert [admin.get(path).status_code for path in paths] == [200] * 4
    assert [operator.get(path).status_code for path in paths] == [403] * 4
    assert f'href="{JOBS}"' in admin.get("/admin/").text
    assert f'href="{JOBS}"' not in operator.get("/admin/").text
    assert "Log in" in log_in("researcher@example.org").get(JOBS).text


def test_a_job_processor_that_is_away_is_said_on_the_page(house: House, browser: httpx.Client) -> None:
    with override_settings(
        ENVIRONMENT=settings.ENVIRONMENT.model_copy(update={"job_processor_url": "http://127.0.0.1:1"})
    ):
        get_job_desk.cache_clear()
        job_id = uuid4()
        for page in (browser.get(JOBS), browser.get(f"{JOBS}{job_id}/"), press(browser, f"{JOBS}{job_id}/cancel/")):
            assert page.status_code == 200
            assert "job_processor does not answer" in page.text
    get_job_desk.cache_clear()


async def serve_nonsense(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"items": "none"}'})


def test_an_answer_that_cannot_be_read_is_no_fault_of_the_page(house: House, browser: httpx.Client) -> None:
    with serve_app(serve_nonsense) as url:
        environment = settings.ENVIRONMENT.model_copy(update={"job_processor_url": url})
        with override_settings(ENVIRONMENT=environment):
            get_job_desk.cache_clear()
            assert "job_processor does not answer" in browser.get(JOBS).text
    get_job_desk.cache_clear()
