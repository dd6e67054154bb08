"""What a curator saves is what the platform knows, always: shown on the processes as they run.

Django's web process and worker, the registry, PostgreSQL and Valkey are real, and so is what happens to them.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from django.db import connection

from django_app.imputation.models import ImputationService
from django_app.outbox.models import Delivery, Subject
from imputehub.local.postgresql import PostgresqlServer
from microservices.kernel.migrations import migrate_database
from tests.django_app.browsing import SERVICES, submit
from tests.django_app.conftest import House
from tests.django_app.hub import Hub
from tests.django_app.parts import (
    Part,
    describe_registry,
    describe_web,
    describe_worker,
    run_script,
    running,
    wait_until,
)
from tests.django_app.scripts import KILLED_AFTER_ANSWER, KILLED_AFTER_COMMIT, NOTE_EVERY_STATE, RELAY_FOR_EVER
from tests.django_app.stub_site import StubSite

DJANGO_TABLES = ("outbox_subject", "outbox_delivery", "imputation_imputationservice", "imputation_referencepanel")


@pytest.fixture(scope="module")
def processes(
    running_house: House, postgresql: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hub]:
    logs = tmp_path_factory.mktemp("processes")
    authority = running_house.authority
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(authority, "service_scopes", f"{authority.service_scopes} catalogue:compare catalogue:probe")
        database_url = postgresql.create_database("registry")
        migrate_database("service_registry", database_url)
        registry = describe_registry(database_url, running_house.environment["USER_SERVICE_URL"], logs / "registry.log")
        environment = {**running_house.environment, "SERVICE_REGISTRY_URL": registry.url}
        web = describe_web(environment, logs / "web.log")
        worker = describe_worker(environment, logs / "worker.log")
        stack.enter_context(running(registry, web, worker))
        dsn = database_url.replace("+psycopg2", "")
        curator = stack.enter_context(httpx.Client(base_url=f"{web.url}/api/v1/curation", timeout=30))
        people = stack.enter_context(httpx.Client(base_url=f"{registry.url}/api/v1", timeout=30))
        yield Hub(registry, web, worker, dsn, postgresql.admin_dsn, environment, curator, people)


@pytest.fixture
def hub(house: House, processes: Hub) -> Hub:
    """Nothing is curated, and the registry knows of nothing."""
    for part in (processes.registry, processes.worker):
        if part.process is None:
            part.start()
    processes.empty_registry()
    processes.curator.headers.update(house.authority.person(["curator"]))
    processes.people.headers.update(house.authority.person())
    return processes


def test_a_registry_that_was_down_has_the_same_catalogue_when_it_is_back(hub: Hub) -> None:
    """Created, edited ten times, deleted: each site is told once, with its panels, and the last edit wins."""
    known, gone = hub.add_site("Known"), hub.add_site("Gone")
    hub.await_sync()
    hub.registry.kill()
    fresh, unborn = hub.add_site("Fresh"), hub.add_site("Never seen")
    expected = {known: ("Known, edit 9", set()), fresh: ("Fresh, edit 9", {hub.add_panel(fresh), hub.add_panel(fresh)})}
    for number in range(10):
        hub.edit_site(known, name=f"Known, edit {number}")
        hub.edit_site(fresh, name=f"Fresh, edit {number}")
    dropped = hub.add_panel(known)
    hub.curator.delete(f"/panels/{dropped}/").raise_for_status()
    hub.delete_site(gone)
    hub.delete_site(unborn)
    wait_until(lambda: Delivery.objects.filter(error__contains="No answer").exists(), "the worker has tried")
    hub.registry.start()
    hub.await_sync()
    assert hub.read_catalogue() == expected
    assert not hub.is_shown(gone)
    [(told, versions)] = hub.query_registry("SELECT (SELECT count(*) FROM inbox), count(*) FROM inbox_versions")
    assert (told, versions) == (6, 4)  # two before, then each site once, whatever happened to it


def test_a_site_saved_in_the_admin_reaches_the_registry_and_is_probed_there(
    hub: Hub, browser: httpx.Client, site: StubSite
) -> None:
    """What went wrong before this platform: the registry never heard of such sites, so nobody watched over them."""
    form = {"name": "From a form", "api_type": "michigan", "base_url": site.url, "country": "ZA"}
    answer = submit(browser, f"{SERVICES}add/", **form, api_config='{"allow_private_network": true}')
    assert "was added successfully" in answer.text

    def look() -> dict[str, Any] | None:
        services = hub.people.get("/services").json()["items"]
        return services[0] if services and services[0]["last_health_check"] else None

    found = wait_until(look, "the registry has probed the site")
    assert found["name"] == "From a form"
    assert found["health_status"] != "unknown"
    hub.await_sync()


def test_a_registry_restored_from_an_old_backup_is_seen_and_mended(hub: Hub) -> None:
    edited, deleted, kept = (hub.add_site(name) for name in ("Edited", "Deleted", "Kept"))
    panel = hub.add_panel(edited)
    hub.await_sync()
    with hub.registry_set_back():
        hub.edit_site(edited, name="Edited since", credential="token-of-the-curator")
        hub.curator.delete(f"/panels/{panel}/").raise_for_status()
        hub.delete_site(deleted)
        created = hub.add_site("Created since")
        hub.await_sync()
    expected = {edited: ("Edited since", set()), kept: ("Kept", set()), created: ("Created since", set())}
    comparison = hub.compare()
    assert comparison["in_sync"] is False
    found = {one["service_id"]: one for one in comparison["findings"]}
    assert {key: one["kind"] for key, one in found.items()} == {
        edited: "behind",
        deleted: "stray",
        created: "missing",
    }
    assert found[edited]["registry_version"] < found[edited]["version"]
    assert 'name: "Edited since" here, "Edited" in the registry' in found[edited]["differences"]
    assert found[deleted]["name"] == "Deleted"
    assert "token-of-the-curator" not in str(comparison)
    assert hub.repair() == {edited: "sent", deleted: "removed", created: "sent"}
    hub.await_sync()
    assert hub.read_catalogue() == expected
    assert hub.repair() == {}


def test_what_was_changed_by_hand_is_seen_in_words_and_mended(hub: Hub) -> None:
    """In the registry's database and in our own, past everything that would notice."""
    names = ("Renamed", "Without panel", "Another secret", "Removed", "Changed here", "Untouched")
    renamed, panelless, secret, removed, ours, untouched = (hub.add_site(name, credential="right") for name in names)
    panel = hub.add_panel(panelless, panel_id="apps@lost@1.0.0")
    hub.await_sync()
    hub.query_registry("UPDATE imputation_services SET name = 'By hand', api_type = 'ga4gh' WHERE id = %s", renamed)
    hub.query_registry("DELETE FROM reference_panels WHERE id = %s", panel)
    hub.query_registry("UPDATE imputation_services SET credential_encrypted = 'x' WHERE id = %s", secret)
    hub.query_registry("DELETE FROM imputation_services WHERE id = %s", removed)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE imputation_imputationservice SET max_samples = 7 WHERE id = %s", [ours])
    told = {one["service_id"]: (one["kind"], one["differences"]) for one in hub.compare()["findings"]}
    assert set(told) == {renamed, panelless, secret, removed, ours}
    assert told[renamed][0] == "altered"
    assert 'name: "Renamed" here, "By hand" in the registry' in told[renamed][1]
    assert told[panelless] == ("altered", ["panel apps@lost@1.0.0: missing in the registry"])
    assert told[secret] == ("altered", ["credential: another one in the registry, or one that it cannot read"])
    assert told[removed] == ("missing", [])
    assert told[ours] == ("altered", ["max_samples: 7 here, null in the registry"])
    assert set(hub.repair().values()) == {"sent"}
    hub.await_sync()
    assert hub.read_catalogue()[renamed][0] == "Renamed"
    assert hub.people.get(f"/services/{ours}").json()["max_samples"] == 7
    assert hub.is_shown(untouched)


def test_a_site_that_nobody_here_ever_knew_is_removed(hub: Hub) -> None:
    known, ghost = hub.add_site("Known"), hub.add_site("Ghost")
    hub.await_sync()
    with connection.cursor() as cursor:  # also its tombstone
        for table, column in (("imputation_imputationservice", "id"), ("outbox_subject", "name")):
            key = ghost if column == "id" else f"site/{ghost}"
            cursor.execute(f"DELETE FROM {table} WHERE {column} = %s", [key])
    [finding] = hub.compare()["findings"]
    assert (finding["kind"], finding["name"], finding["version"], finding["registry_version"]) == (
        "stray",
        "Ghost",
        None,
        1,
    )
    assert hub.repair() == {ghost: "removed"}
    hub.await_sync()
    assert set(hub.read_catalogue()) == {known}
    assert Subject.objects.get(name=f"site/{ghost}").version == 2


def test_an_empty_catalogue_empties_the_registry_only_when_that_is_said(hub: Hub, house: House) -> None:
    """A catalogue without any site is more likely a wrong database than a wish."""
    site = hub.add_site("The only one")
    hub.await_sync()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(DJANGO_TABLES)} CASCADE")
    refusal = hub.curator.post("/repair/")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "catalogue_empty")
    assert hub.is_shown(site)
    assert hub.repair(even_if_empty=True) == {site: "removed"}
    hub.await_sync()
    assert hub.read_catalogue() == {}


@contextmanager
def django_set_back() -> Iterator[None]:
    """Back up Django's rows, let the block happen, and restore them."""
    with connection.cursor() as cursor:
        for table in DJANGO_TABLES:
            cursor.execute(f"CREATE TABLE backup_{table} AS TABLE {table}")
        yield
        cursor.execute(f"TRUNCATE {', '.join(DJANGO_TABLES)} CASCADE")
        for table in ("outbox_subject", "outbox_delivery", *DJANGO_TABLES[2:]):
            cursor.execute(f"INSERT INTO {table} SELECT * FROM backup_{table}")
            cursor.execute(f"DROP TABLE backup_{table}")


def test_a_django_restored_from_an_old_backup_counts_on_from_where_the_registry_is(hub: Hub) -> None:
    """Its versions were given before the restore: without more, the registry would drop every edit as old."""
    edited, left = hub.add_site("Edited"), hub.add_site("Left")
    hub.await_sync()
    with django_set_back():
        for number in range(5):
            hub.edit_site(edited, name=f"Lost {number}")
            hub.edit_site(left, name=f"Lost {number}")
        created = hub.add_site("Created since")
        hub.await_sync()
    assert hub.find_kinds() == {edited: "ahead", left: "ahead", created: "stray"}
    hub.edit_site(edited, name="After the restore")  # nobody has repaired anything yet
    wait_until(lambda: hub.read_catalogue()[edited][0] == "After the restore", "the new edit is shown", 10)
    assert hub.find_kinds() == {left: "ahead", created: "stray"}
    assert hub.repair() == {left: "sent", created: "removed"}
    hub.await_sync()
    assert hub.read_catalogue() == {edited: ("After the restore", set()), left: ("Left", set())}


def test_a_comparison_says_when_the_registry_is_away_and_what_is_refused(hub: Hub, house: House) -> None:
    hub.registry.stop()
    answer = hub.curator.get("/drift/")
    assert (answer.status_code, answer.json()["code"]) == (503, "dependency_unavailable")
    assert "service_registry does not answer" in answer.json()["detail"]
    hub.registry.start()
    site = hub.add_site("Refused")
    hub.await_sync()
    with connection.cursor() as cursor:  # more than the registry's column holds
        cursor.execute("UPDATE imputation_imputationservice SET api_config = %s", ['{"unheard_of": 1}'])
    assert hub.find_kinds() == {site: "unreadable"}
    assert hub.repair() == {site: "left"}
    person = house.authority.person(["researcher"])
    assert hub.curator.get("/drift/", headers=person).status_code == 403
    assert hub.curator.post("/repair/", headers=person).status_code == 403
    assert hub.curator.post("/repair/", json={"even_if_empty": "perhaps"}).status_code == 400


def test_a_django_killed_between_commit_and_delivery_has_delivered_after_all(hub: Hub) -> None:
    hub.worker.stop()
    dead = run_script(KILLED_AFTER_COMMIT, hub.environment, "Committed only")
    assert dead.returncode == -9, dead.stderr
    site = ImputationService.objects.get(name="Committed only")
    assert not hub.is_shown(str(site.pk))
    hub.worker.start()
    hub.await_sync()
    assert hub.is_shown(str(site.pk))


def test_a_relay_killed_between_delivery_and_its_note_delivers_again_without_effect(hub: Hub) -> None:
    hub.worker.stop()
    site = hub.add_site("Told twice")
    dead = run_script(KILLED_AFTER_ANSWER, hub.environment)
    assert dead.returncode == -9, dead.stderr
    assert hub.is_shown(site)
    before = hub.query_registry("SELECT updated_at FROM imputation_services")
    assert Delivery.objects.get().delivered_at is None
    hub.worker.start()
    hub.await_sync()
    assert hub.query_registry("SELECT updated_at FROM imputation_services") == before
    assert hub.query_registry("SELECT count(*) FROM inbox") == [(1,)]


def test_two_processes_that_relay_at_once_apply_each_event_once_and_in_order(hub: Hub, tmp_path: Any) -> None:
    hub.query_registry(NOTE_EVERY_STATE)
    script = f"import django\ndjango.setup()\n{RELAY_FOR_EVER}"
    settings = {"DJANGO_SETTINGS_MODULE": "django_app.config.settings"}
    relays = [Part(["-c", script], hub.environment | settings, tmp_path / f"relay-{n}.log") for n in range(2)]
    sites = [hub.add_site(f"{number:03}") for number in range(3)]
    try:
        with running(*relays):
            for number in range(3, 43):
                hub.edit_site(sites[number % 3], name=f"{number:03}")
            hub.await_sync()
            assert all(relay.process and relay.process.poll() is None for relay in relays)
        for site in sites:
            states = [name for (name,) in hub.query_registry("SELECT name FROM states WHERE site = %s", site)]
            assert states == sorted(set(states)), "in order, and none twice"
        told = hub.query_registry("SELECT (SELECT count(*) FROM states), count(*) FROM inbox")
        assert told[0][0] == told[0][1] > len(sites)
        assert {name for name, _panels in hub.read_catalogue().values()} == {"040", "041", "042"}
    finally:
        hub.query_registry("DROP TRIGGER noted ON imputation_services; DROP FUNCTION note_state; DROP TABLE states")
