"""What the registry gets: everything, in order, in its newest state, once; whatever happens in between."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from django_app.imputation.models import ImputationService
from django_app.outbox.models import Delivery
from django_app.outbox.recording import retry_delivery
from django_app.outbox.relay import Relay
from microservices.contracts.curation import SiteDocument
from tests.django_app.catalogue import SITE, add_panel, add_site
from tests.django_app.registry import StubRegistry


def make_all_due() -> None:
    """As if the pause after a failure had passed."""
    Delivery.objects.filter(delivered_at=None).update(next_attempt_at=timezone.now())


def make_due(row: Delivery) -> None:
    Delivery.objects.filter(pk=row.pk).update(next_attempt_at=timezone.now())


def test_a_site_travels_with_all_its_panels_as_one_document(registry: StubRegistry, relay: Relay) -> None:
    site = add_site(api_config={"poll_first_s": 1})
    add_panel(site)
    add_panel(site, panel_id="apps@other@1.0.0", build="hg38")
    assert relay.deliver_due() == 1
    [event] = registry.received
    assert (event["type"], event["subject"], event["source"]) == ("site.changed", f"site/{site.pk}", "django")
    document = SiteDocument.model_validate(event["data"])
    assert document.api_config.poll_first_s == 1
    assert {panel.panel_id for panel in document.panels} == {"apps@1000g-phase-3-v5@2.0.0", "apps@other@1.0.0"}
    assert registry.tokens == ["Bearer token-of-django"]


def test_changes_arrive_in_order_with_rising_versions(registry: StubRegistry, relay: Relay) -> None:
    site = add_site()
    relay.deliver_due()
    panel = add_panel(site)
    relay.deliver_due()
    site.name = "Renamed"
    site.save()
    relay.deliver_due()
    panel.delete()
    relay.deliver_due()
    site.delete()
    relay.deliver_due()
    assert [len(event["data"].get("panels", [])) for event in registry.received] == [0, 1, 1, 0, 0]
    assert registry.versions == sorted(set(registry.versions))
    assert len({event["id"] for event in registry.received}) == 5
    assert [event["type"] for event in registry.received] == ["site.changed"] * 4 + ["site.deleted"]


def test_a_deleted_site_leaves_a_tombstone_with_its_last_version(registry: StubRegistry, relay: Relay) -> None:
    site = add_site()
    add_panel(site)
    relay.deliver_due()
    subject = site.subject
    ImputationService.objects.all().delete()
    relay.deliver_due()
    first, last = registry.about(subject)
    assert last["type"] == "site.deleted"
    assert last["data"] == {"id": subject.removeprefix("site/")}
    assert last["dataversion"] > first["dataversion"]


def test_a_registry_that_was_away_gets_the_last_state_once(registry: StubRegistry, relay: Relay) -> None:
    registry.stop()
    try:
        site = add_site()
        for number in range(10):
            site.name = f"Name {number}"
            site.save()
            make_all_due()
            assert relay.deliver_due() == 0
        waiting = Delivery.objects.get()
        assert waiting.attempts == 10
        assert "ConnectError" in waiting.error
        assert waiting.next_attempt_at > timezone.now()
        assert waiting.parked_at is None
    finally:
        registry.start()
    make_all_due()
    assert relay.deliver_due() == 1
    assert [event["data"]["name"] for event in registry.received] == ["Name 9"]
    assert relay.deliver_due() == 0


def test_a_registry_that_is_back_is_told_at_once_of_all_that_it_missed(registry: StubRegistry, relay: Relay) -> None:
    registry.stop()
    try:
        for number in range(5):
            add_site(name=f"Site {number}")
        for _ in range(12):
            make_all_due()
            relay.deliver_due()
        pauses = {row.next_attempt_at - timezone.now() for row in Delivery.objects.all()}
        assert max(pauses).total_seconds() <= 5
    finally:
        registry.start()
    first = Delivery.objects.filter(attempts__gt=0).earliest("id")
    Delivery.objects.exclude(pk=first.pk).update(next_attempt_at=timezone.now() + timedelta(hours=1), error=first.error)
    make_due(first)
    assert relay.deliver_due() == 5


def test_pauses_double_up_to_half_a_minute(registry: StubRegistry, relay: Relay) -> None:
    registry.refusals[add_site().subject] = 500
    pauses = []
    for _ in range(8):
        make_all_due()
        before = timezone.now()
        relay.deliver_due()
        pauses.append(round((Delivery.objects.get().next_attempt_at - before).total_seconds()))
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]


def test_a_refusal_parks_its_subject_alone_until_the_next_change(registry: StubRegistry, relay: Relay) -> None:
    refused, fine = add_site(name="Refused"), add_site(name="Fine")
    registry.refusals[refused.subject] = 422
    assert relay.deliver_due() == 1
    parked = Delivery.objects.get(subject=refused.subject)
    assert parked.parked_at is not None
    assert parked.error == "422: refused: no such field"
    fine.save()
    make_all_due()
    assert relay.deliver_due() == 1
    assert registry.about(refused.subject) == []
    registry.refusals.clear()
    refused.name = "Mended"
    refused.save()
    assert relay.deliver_due() == 1
    assert registry.about(refused.subject)[0]["data"]["name"] == "Mended"


def test_a_parked_row_can_be_tried_again_as_it_is(registry: StubRegistry, relay: Relay) -> None:
    site = add_site()
    registry.refusals[site.subject] = 400
    relay.deliver_due()
    registry.refusals.clear()
    assert relay.deliver_due() == 0
    assert retry_delivery(list(Delivery.objects.values_list("pk", flat=True))) == 1
    assert relay.deliver_due() == 1


@pytest.mark.parametrize("status", [401, 408, 429, 500, 503])
def test_what_may_pass_is_no_refusal(registry: StubRegistry, relay: Relay, status: int) -> None:
    site = add_site()
    registry.refusals[site.subject] = status
    relay.deliver_due()
    assert Delivery.objects.get().parked_at is None
    registry.refusals.clear()
    make_all_due()
    assert relay.deliver_due() == 1


def run_in_thread(work: Any) -> threading.Thread:
    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_relays_at_the_same_time_deliver_once(registry: StubRegistry, relay: Relay) -> None:
    for number in range(10):
        add_site(name=f"Site {number}")
    meeting = threading.Barrier(3)

    def deliver() -> None:
        meeting.wait()
        relay.deliver_due()

    for thread in [run_in_thread(deliver) for _ in range(3)]:
        thread.join(timeout=30)
    assert len(registry.received) == 10
    assert len({event["subject"] for event in registry.received}) == 10


def test_a_change_during_a_delivery_neither_waits_nor_is_lost(registry: StubRegistry, relay: Relay) -> None:
    site = add_site(name="Before")
    on_the_way, go_on = threading.Event(), threading.Event()

    def hold(_event: dict[str, Any]) -> None:
        on_the_way.set()
        assert go_on.wait(60)

    registry.before_answer = hold
    delivering = run_in_thread(relay.deliver_due)
    assert on_the_way.wait(60)
    site.name = "After"
    site.save()
    other = Relay({"service_registry": registry.url}, lambda: "token")
    assert other.deliver_due() == 0  # the older delivery is still on its way
    other.close()
    go_on.set()
    delivering.join(timeout=30)
    relay.deliver_due()
    assert [event["data"]["name"] for event in registry.received] == ["Before", "After"]
    assert registry.versions == [1, 2]
    assert not Delivery.objects.filter(delivered_at=None).exists()


def test_a_change_during_a_delivery_that_is_refused_is_delivered_itself(registry: StubRegistry, relay: Relay) -> None:
    site = add_site(name="Wrong")
    registry.refusals[site.subject] = 422
    on_the_way, go_on = threading.Event(), threading.Event()

    def hold(_event: dict[str, Any]) -> None:
        on_the_way.set()
        assert go_on.wait(60)

    registry.before_answer = hold
    delivering = run_in_thread(lambda: relay._deliver_one("service_registry"))
    assert on_the_way.wait(60)
    site.name = "Right"
    site.save()
    go_on.set()
    delivering.join(timeout=30)
    registry.refusals.clear()
    assert relay.deliver_due() == 1
    assert registry.received[0]["data"]["name"] == "Right"


def test_a_state_that_is_told_twice_has_the_same_event_id(registry: StubRegistry, relay: Relay) -> None:
    add_site()
    relay.deliver_due()
    Delivery.objects.update(delivered_at=None)  # as after a crash between the answer and the commit
    relay.deliver_due()
    first, second = registry.received
    assert first["id"] == second["id"]


def test_an_uncommitted_change_is_not_told(registry: StubRegistry, relay: Relay) -> None:
    with transaction.atomic():
        add_site()
        thread = run_in_thread(relay.deliver_due)
        thread.join(timeout=30)
        assert registry.received == []
    assert relay.deliver_due() == 1


def test_a_credential_is_in_the_delivery_and_in_no_row(registry: StubRegistry, relay: Relay) -> None:
    site = ImputationService(**SITE)
    site.set_credential("token-of-the-curator")
    site.save()
    relay.deliver_due()
    assert registry.received[0]["data"]["credential"] == "token-of-the-curator"
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(d)::text FROM outbox_delivery d")
        assert "token-of-the-curator" not in str(cursor.fetchall())


def test_a_credential_that_cannot_be_opened_holds_up_its_site_alone(registry: StubRegistry, relay: Relay) -> None:
    site = ImputationService(**SITE)
    site.set_credential("token-of-the-curator")
    site.save()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE imputation_imputationservice SET credential = 'of another key'")
    add_site(name="Fine")
    assert relay.deliver_due() == 1
    assert "DecryptionError" in Delivery.objects.get(subject=site.subject).error
