"""Every kind of change is noted, in the transaction that makes it, and none goes unnoticed."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from asgiref.sync import async_to_sync
from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from django_app.imputation.encryption import SealedText
from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.imputation.replication import UnnoticedChangeError
from django_app.outbox.models import Delivery, Subject
from tests.django_app.browsing import SERVICES, submit
from tests.django_app.catalogue import PANEL, SITE, add_panel, add_site

pytestmark = pytest.mark.usefixtures("house")


def version_of(service: ImputationService) -> int:
    return Subject.objects.get(name=service.subject).version


@pytest.mark.parametrize(
    "change",
    [
        lambda site, panel: site.save(),
        lambda site, panel: panel.save(),
        lambda site, panel: panel.delete(),
        lambda site, panel: ReferencePanel.objects.filter(pk=panel.pk).delete(),
        lambda site, panel: add_panel(site, panel_id="another"),
        lambda site, panel: site.panels.create(**{**PANEL, "panel_id": "another"}),
        lambda site, panel: site.delete(),
        lambda site, panel: ImputationService.objects.all().delete(),
        lambda site, panel: ImputationService.objects.update_or_create(pk=site.pk, defaults={"name": "Renamed"}),
    ],
)
def test_a_change_raises_the_version_and_leaves_one_delivery(
    change: Callable[[ImputationService, ReferencePanel], object],
) -> None:
    site = add_site()
    panel = add_panel(site)
    subject, before = site.subject, version_of(site)
    change(site, panel)
    assert Subject.objects.get(name=subject).version > before
    delivery = Delivery.objects.get(subject=subject)
    assert delivery.version == Subject.objects.get(name=subject).version


def test_many_edits_wait_in_one_row() -> None:
    site = add_site()
    for number in range(20):
        site.name = f"Name {number}"
        site.save()
    assert Delivery.objects.count() == 1
    assert version_of(site) == 21


def test_a_rolled_back_change_leaves_nothing() -> None:
    site = add_site()
    before = version_of(site)
    with transaction.atomic():
        site.name = "Never"
        site.save()
        add_panel(site)
        transaction.set_rollback(True)
    assert version_of(site) == before
    assert Delivery.objects.get().version == before
    assert ReferencePanel.objects.count() == 0


def test_a_change_whose_note_cannot_be_written_does_not_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    from django_app.outbox import recording

    def fail(*_args: object) -> None:
        raise RuntimeError("no note")

    site = add_site()
    monkeypatch.setattr(recording, "_make_due", fail)
    site.name = "Unnoted"
    with pytest.raises(RuntimeError):
        site.save()
    assert ImputationService.objects.get().name == SITE["name"]


@pytest.mark.parametrize(
    "change",
    [
        lambda site: ImputationService.objects.update(name="x"),
        lambda site: ImputationService.objects.filter(pk=site.pk).update(is_active=False),
        lambda site: ImputationService.objects.bulk_create([ImputationService(**SITE)]),
        lambda site: ImputationService.objects.bulk_update([site], ["name"]),
        lambda site: ReferencePanel.objects.update(name="x"),
        lambda site: ReferencePanel.objects.bulk_create([ReferencePanel(service=site, **PANEL)]),
        lambda site: site.panels.update(name="x"),
        lambda site: site.panels.bulk_create([ReferencePanel(service=site, **PANEL)]),
        lambda site: site.panels.add(add_panel(site)),
        lambda site: ImputationService._base_manager.update(name="x"),
    ],
)
def test_methods_that_send_no_signal_are_refused_with_advice(change: Callable[[ImputationService], object]) -> None:
    site = add_site()
    with pytest.raises(UnnoticedChangeError, match=r"sends no signals.*call save\(\)"):
        change(site)


def test_a_version_never_goes_back_also_when_a_site_comes_back() -> None:
    site = add_site()
    key, before = site.pk, version_of(site)
    site.delete()
    again = add_site(pk=key)
    assert version_of(again) > before + 1


def test_a_panel_stays_with_its_site() -> None:
    panel = add_panel(add_site())
    panel.service = add_site(name="Another")
    with pytest.raises(ValidationError, match="stays with its site"):
        panel.save()


def test_a_credential_is_stored_encrypted_only() -> None:
    site = ImputationService(**SITE)
    site.set_credential("token-of-the-curator")
    site.save()
    stored = (
        ImputationService.objects.filter(pk=site.pk)
        .extra(select={"raw": "credential"})
        .values_list("raw", flat=True)[0]
    )
    assert "token-of-the-curator" not in str(stored)
    loaded = ImputationService.objects.get()
    assert isinstance(loaded.credential, SealedText)
    assert loaded.credential.reveal() == "token-of-the-curator"
    assert "token" not in repr(loaded.credential) + str(loaded.credential)


def test_a_plain_text_is_refused_where_a_sealed_one_belongs() -> None:
    with pytest.raises(TypeError, match="SealedText"):
        add_site(credential="in the clear")


def test_changes_of_one_site_at_the_same_time_wait_for_each_other() -> None:
    """Site first or panel first: neither order deadlocks, and no version is given twice."""
    site = add_site()
    panels = [add_panel(site, panel_id=f"panel-{number}") for number in range(3)]
    before = version_of(site)
    meeting = threading.Barrier(4)
    failures: list[Exception] = []

    def change(own: list[ImputationService | ReferencePanel]) -> None:
        try:
            meeting.wait()
            for _ in range(5):
                with transaction.atomic():
                    for thing in own:
                        thing.save()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    orders = [[site, *panels], [*panels, site], [*reversed(panels), site], [panels[1], site, panels[0], panels[2]]]
    threads = [threading.Thread(target=change, args=[order]) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert version_of(site) == before + 4 * 5 * 4
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize("change", ["aupdate", "abulk_create", "abulk_update", "_raw_delete", "set"])
def test_there_is_no_side_entrance(change: str) -> None:
    site = add_site()
    panel = add_panel(site)
    entrances: dict[str, Callable[[], object]] = {
        "aupdate": lambda: async_to_sync(ImputationService.objects.all().aupdate)(name="x"),
        "abulk_create": lambda: async_to_sync(ImputationService.objects.all().abulk_create)(
            [ImputationService(**SITE)]
        ),
        "abulk_update": lambda: async_to_sync(ImputationService.objects.all().abulk_update)([site], ["name"]),
        "_raw_delete": lambda: ReferencePanel.objects.all()._raw_delete("default"),
        "set": lambda: site.panels.set([panel, add_panel(add_site(), panel_id="foreign")]),
    }
    with pytest.raises(UnnoticedChangeError):
        entrances[change]()


def test_there_are_no_many_to_many_fields_whose_changes_would_need_a_signal_of_their_own() -> None:
    assert not ImputationService._meta.many_to_many
    assert not ReferencePanel._meta.many_to_many


def load_fixture(tmp_path: Path, *rows: ImputationService | ReferencePanel, **changes: Any) -> None:
    """As `loaddata` does: past `save()`."""
    described: list[dict[str, Any]] = json.loads(serializers.serialize("json", rows, fields=FIXTURE_FIELDS))
    for row in described:
        row["fields"] |= changes
    path = tmp_path / "fixture.json"
    path.write_text(json.dumps(described))
    call_command("loaddata", str(path), verbosity=0)


FIXTURE_FIELDS = ("name", "api_type", "base_url", "service", "panel_id", "build", "created_at", "updated_at")


def test_a_fixture_is_noted_like_any_change(tmp_path: Path) -> None:
    site = add_site()
    panel, before = add_panel(site), version_of(site)
    load_fixture(tmp_path, panel, site, name="From a fixture")
    assert ImputationService.objects.get().name == ReferencePanel.objects.get().name == "From a fixture"
    assert version_of(site) == before + 2
    new = ImputationService(**{**SITE, "name": "New"})
    new.created_at = new.updated_at = timezone.now()
    load_fixture(tmp_path, new)
    assert Delivery.objects.get(subject=new.subject).version == 1


def test_a_fixture_moves_no_panel(tmp_path: Path) -> None:
    site, other = add_site(), add_site(name="Another")
    panel = add_panel(site)
    with pytest.raises(Exception, match="stays with its site"):
        load_fixture(tmp_path, panel, service=str(other.pk))
    assert ReferencePanel.objects.get().service_id == site.pk


def test_deletions_of_the_same_sites_at_the_same_time_wait_for_each_other() -> None:
    """Whichever order their lists are in: the locks are taken in one order."""
    for number in range(12):
        add_panel(add_site(name=f"Site {number:02}"))
    meeting = threading.Barrier(2)
    failures: list[Exception] = []

    def delete(order: str) -> None:
        try:
            meeting.wait()
            ImputationService.objects.order_by(order).delete()
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=delete, args=[order]) for order in ("name", "-name")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert failures == []
    assert not ImputationService.objects.exists()
    assert Delivery.objects.filter(delivered_at=None).count() == 12


def test_a_site_made_in_a_form_leaves_no_subject_but_its_own(browser: httpx.Client, curator: httpx.Client) -> None:
    """The form takes the new site's id away until it is stored."""
    submit(browser, f"{SERVICES}add/", name="From a form", api_type="michigan", base_url=SITE["base_url"])
    assert list(Subject.objects.values_list("name", flat=True)) == [ImputationService.objects.get().subject]
    assert [row["name"] for row in curator.get("/sync-status/").json()["items"]] == ["From a form"]
