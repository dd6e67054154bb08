"""What Django sends becomes the registry's copy: once, in order, whole or not at all."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from microservices.service_registry.models import Base
from tests.service_registry.registry import Registry, describe_panel
from tests.waiting import wait_until

KERNEL_TABLES = {"inbox", "inbox_versions", "outbox", "outbox_versions", "alembic_version"}


def test_a_sent_site_is_read_back_with_its_fields_and_panels(registry: Registry) -> None:
    panel = describe_panel()
    document = registry.describe_site(max_samples=25_000, location="UCT, Cape Town", panels=[panel])
    site_id = registry.store(document)
    service = registry.read(f"/services/{site_id}")
    expected = {
        "name": document["name"],
        "service_type": "imputation",
        "api_type": "michigan",
        "location": "UCT, Cape Town",
        "country": "ZA",
        "requires_auth": True,
        "is_active": True,
        "max_samples": 25_000,
        "supported_formats": ["vcf.gz"],
        "panels_count": 1,
        "auto_deactivated_at": None,
    }
    assert service.items() >= expected.items()
    assert service["created_at"].endswith("Z")
    found = registry.read(f"/panels/{panel['id']}")
    assert found.items() >= panel.items()
    assert found["service_id"] == site_id
    assert found["service_name"] == document["name"]


def test_each_change_and_the_end_of_a_site_are_told_once_to_everybody_who_looks(registry: Registry) -> None:
    document = registry.describe_site(name="A site")
    site_id = registry.store(document)
    registry.store(document | {"name": "Another name", "panels": [describe_panel()]})
    registry.store(document, dataversion=1)
    registry.delete(site_id)
    registry.delete(site_id)
    wait_until(lambda: len(registry.list_events("service.changed", site_id)) >= 3, "all changes are told")
    told = [event["data"] for event in registry.list_events("service.changed", site_id)]
    assert told == [
        {"service_id": site_id, "name": "A site", "is_deleted": False},
        {"service_id": site_id, "name": "Another name", "is_deleted": False},
        {"service_id": site_id, "name": "Another name", "is_deleted": True},
    ]


def test_the_same_event_again_changes_nothing(registry: Registry) -> None:
    document = registry.describe_site()
    event_id = str(uuid4())
    site_id = registry.store(document, id=event_id)
    registry.store({**document, "name": "Another"}, id=event_id)
    assert registry.read(f"/services/{site_id}")["name"] == document["name"]


def test_a_document_older_than_the_known_one_is_dropped(registry: Registry) -> None:
    document = registry.describe_site()
    site_id = registry.store({**document, "name": "Newer"}, dataversion=7)
    registry.store({**document, "name": "Older"}, dataversion=6)
    registry.store({**document, "name": "As old"}, dataversion=7)
    assert registry.read(f"/services/{site_id}")["name"] == "Newer"
    registry.store({**document, "name": "Newest"}, dataversion=8)
    assert registry.read(f"/services/{site_id}")["name"] == "Newest"


def test_a_deletion_takes_the_panels_along_and_beats_a_late_change(registry: Registry) -> None:
    panel = describe_panel()
    document = registry.describe_site(panels=[panel])
    site_id = registry.store(document, dataversion=1)
    registry.delete(site_id, dataversion=3)
    registry.store(document, dataversion=2)
    assert registry.get(f"/services/{site_id}").json()["code"] == "service_not_found"
    assert registry.get(f"/panels/{panel['id']}").json()["code"] == "panel_not_found"
    assert registry.read_site(site_id).status_code == 404


def test_a_deletion_that_arrives_before_the_site_keeps_it_away(registry: Registry) -> None:
    document = registry.describe_site()
    registry.delete(document["id"], dataversion=2)
    registry.store(document, dataversion=1)
    assert registry.get(f"/services/{document['id']}").status_code == 404


def test_a_document_replaces_all_panels_of_its_site_and_of_no_other(registry: Registry) -> None:
    kept, dropped, added, foreign = (describe_panel() for _ in range(4))
    registry.store(registry.describe_site(panels=[foreign]))
    document = registry.describe_site(panels=[kept, dropped])
    site_id = registry.store(document)
    registry.store({**document, "panels": [{**kept, "name": "Renamed"}, added]})
    names = {panel["id"]: panel["name"] for panel in registry.read(f"/services/{site_id}/panels")["items"]}
    assert names == {kept["id"]: "Renamed", added["id"]: added["name"]}
    assert registry.read(f"/panels/{foreign['id']}")["name"] == foreign["name"]


def test_a_panel_moves_to_another_site_whichever_document_comes_first(registry: Registry) -> None:
    first, second = describe_panel(), describe_panel()
    origin = registry.describe_site(panels=[first, second])
    target = registry.describe_site()
    registry.store(origin)
    registry.store({**target, "panels": [first]})
    registry.store({**origin, "panels": []})
    registry.store({**target, "panels": [first, second]})
    panels = registry.read(f"/services/{target['id']}/panels")["items"]
    assert {panel["id"] for panel in panels} == {first["id"], second["id"]}
    assert registry.read(f"/services/{origin['id']}/panels")["total"] == 0


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"api_type": "ftp"}, "api_type"),
        ({"base_url": None}, "base_url"),
        ({"name": "a\x00b"}, "data.name"),
        ({"location": "half \ud83d"}, "data.location"),
        ({"api_config": {"unheard_of": 1}}, "api_config.unheard_of"),
        ({"api_config": {"health_interval_s": 0}}, "api_config.health_interval_s"),
        ({"max_samples": 2**70}, "integer out of range"),
        ({"panels": [describe_panel(), describe_panel(build="hg17")]}, "panels.1.build"),
        ({"panels": [describe_panel(), describe_panel(variants_count=2**70)]}, "out of range"),
        ({"panels": [describe_panel(recipe={"parameters": {"key": "\x00"}})]}, "data.panels.0.recipe.parameters.key"),
        ({"panels": [describe_panel(id="00000000-0000-0000-0000-000000000001") for _ in "ab"]}, "panels"),
        ({"id": "00000000-0000-0000-0000-000000000002"}, "id"),
    ],
)
def test_a_document_that_cannot_be_stored_is_refused_whole(
    registry: Registry, changes: dict[str, Any], field: str
) -> None:
    document = registry.describe_site(name="Before", panels=[describe_panel()])
    site_id = registry.store(document)
    answer = registry.send("site.changed", site_id, {**document, "name": "After", "panels": [], **changes})
    assert answer.status_code == 400
    problem = answer.json()
    assert problem["code"] == "document_refused"
    assert field in problem["detail"]
    service = registry.read(f"/services/{site_id}")
    assert (service["name"], service["panels_count"]) == ("Before", 1)
    registry.store({**document, "name": "Mended"}, dataversion=registry.versions[site_id])
    assert registry.read(f"/services/{site_id}")["name"] == "Mended"


def test_events_of_other_subjects_and_types_are_refused(registry: Registry) -> None:
    document = registry.describe_site()
    for changes in ({"subject": f"panel/{document['id']}"}, {"subject": "site/mine"}, {"type": "site.renamed"}):
        assert registry.send("site.changed", document["id"], document, **changes).status_code == 400


def test_documents_that_arrive_at_once_leave_the_newest(registry: Registry) -> None:
    document = registry.describe_site()
    site_id = document["id"]

    def send(version: int) -> None:
        panels = [describe_panel(name=f"Panel of {version}")]
        registry.store({**document, "name": f"Version {version}", "panels": panels}, dataversion=version)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(1, 25)))
    assert registry.read(f"/services/{site_id}")["name"] == "Version 24"
    assert [p["name"] for p in registry.read(f"/services/{site_id}/panels")["items"]] == ["Panel of 24"]


def test_the_models_are_what_the_migrations_make(registry: Registry) -> None:
    def is_ours(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        table = name if kind == "table" else getattr(getattr(item, "table", None), "name", None)
        return table not in KERNEL_TABLES

    with registry.engine.connect() as connection:
        options = {"include_object": is_ours, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        checks = sa.inspect(connection).get_check_constraints("imputation_services")
    assert {check["name"] for check in checks} == {"ck_imputation_services_health_status"}
