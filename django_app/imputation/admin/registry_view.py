"""What the registry knows of a site, beside what its curator says: read through, never stored here."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string

from django_app.imputation.live_health import NO_ANSWER, describe_finding, get_live_health, name_status
from django_app.imputation.models import ImputationService
from django_app.outbox.states import show_state
from microservices.contracts.registry import SiteHealth

_LOOKS = {"healthy": "success", "degraded": "warning", "unhealthy": "danger", "unknown": "info"}
_NOT_KNOWN = "not known to the registry yet"
_EMPTY = "–"


def _find_health(service: ImputationService) -> SiteHealth | str:
    known = get_live_health().read()
    return NO_ANSWER if known is None else known.get(service.pk, _NOT_KNOWN)


def _write_time(time: datetime | None) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC" if time else _EMPTY


class RegistryColumns:
    """Beside `ModelAdmin` in the bases of the sites' page."""

    registry_fields = (
        "live_health",
        "is_available",
        "response_time_ms",
        "error_message",
        "last_health_check",
        "auto_deactivated",
        "capabilities",
        "sync_state",
    )

    @admin.display(description="Health")
    def live_health(self, service: ImputationService) -> str:
        health = _find_health(service)
        if isinstance(health, str):
            return health
        look = {
            "status": name_status(health),
            "look": _LOOKS[health.health_status],
            "finding": describe_finding(health),
            "silent_since": health.auto_deactivated_at,
        }
        return render_to_string("imputation/site_health.html", look)

    @admin.display(description="Available", boolean=True)
    def is_available(self, service: ImputationService) -> bool | None:
        health = _find_health(service)
        return None if isinstance(health, str) else health.is_available

    @admin.display(description="Response time")
    def response_time_ms(self, service: ImputationService) -> str:
        health = _find_health(service)
        if isinstance(health, str) or health.response_time_ms is None:
            return _EMPTY
        return f"{health.response_time_ms:.0f} ms"

    @admin.display(description="What is wrong")
    def error_message(self, service: ImputationService) -> str:
        health = _find_health(service)
        return _EMPTY if isinstance(health, str) else health.error_message or _EMPTY

    @admin.display(description="Last checked")
    def last_health_check(self, service: ImputationService) -> str:
        health = _find_health(service)
        return _EMPTY if isinstance(health, str) else _write_time(health.last_health_check)

    @admin.display(description="Auto-deactivated")
    def auto_deactivated(self, service: ImputationService) -> str:
        """Its own mark, never the curator's `is_active`."""
        health = _find_health(service)
        if isinstance(health, str):
            return health
        if health.auto_deactivated_at is None:
            return "no"
        return f"since {_write_time(health.auto_deactivated_at)}, after long silence; it comes back by itself"

    @admin.display(description="What can be counted on")
    def capabilities(self, service: ImputationService) -> str:
        health = _find_health(service)
        if isinstance(health, str):
            return health
        if health.capabilities is None:
            return "not known before it has answered"
        return render_to_string("imputation/capabilities.html", {"told": health.capabilities})

    @admin.display(description="Sync state", ordering="sync_state")
    def sync_state(self, service: Any) -> str:
        return show_state(service) if hasattr(service, "sync_state") else "not saved yet"
