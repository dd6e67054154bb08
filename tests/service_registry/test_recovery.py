"""job_processor is told of a site's health: runs that wait for the site go on as soon as it answers."""

import sqlalchemy as sa

from tests.service_registry.registry import Registry
from tests.waiting import wait_until

TOLD = sa.text("SELECT subscriber FROM outbox WHERE type = 'service.health_changed' AND subject = :subject")


def test_a_change_of_health_is_for_job_processor_too(registry: Registry) -> None:
    site_id = registry.store(registry.describe_site())
    wait_until(lambda: registry.list_events("service.health_changed", site_id), "the change is told")
    with registry.engine.connect() as connection:
        told = connection.scalars(TOLD, {"subject": f"site/{site_id}"}).all()
    assert sorted(told) == ["job_processor", "notification"]
