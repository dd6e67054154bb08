"""Sites in every state, their panels, and who looks at them."""

from typing import Any

from microservices.contracts.registry import SiteCapabilities
from microservices.service_registry.schemas import HealthItem, PanelItem, ServiceItem
from microservices.user_service.schemas import TokenAnswer, UserRecord
from tests.e2e.exhibits.shapes import before, name_id, shape

ACCOUNT = shape(
    UserRecord,
    {"id": name_id("person"), "email": "operator@example.org", "email_verified": True, "full_name": "Operator"},
    {"organization": {"id": name_id("institute"), "name": "Example Institute"}},
    {"roles": ["researcher", "curator", "operator"], "permissions": [], "tier": "standard", "is_active": True},
    {"mfa_enabled": False, "created_at": before(9_000)},
)
GRANT = shape(TokenAnswer, {"access_token": "a", "refresh_token": "r", "expires_in": 600})


def show_site(name: str, api_type: str, country: str, health: str, message: str | None = None) -> Any:
    return shape(
        ServiceItem,
        {"id": name_id(name), "name": name, "service_type": "imputation", "api_type": api_type, "country": country},
        {"base_url": "https://site.example.org", "location": "Example Institute", "requires_auth": True},
        {"credential_shared": False, "custom_ca": False, "api_config": {}, "is_active": True},
        {"supported_formats": ["vcf.gz"], "max_file_size_mb": 2048},
        {"min_samples": 20, "max_samples": 20_000, "panels_count": 2, "created_at": before(90_000)},
        {
            "capabilities": dict.fromkeys(SiteCapabilities.model_fields, True)
            | dict.fromkeys(("cancels", "restarts"), api_type == "michigan")
            | {"deletes": api_type != "michigan"}
        },
        {"updated_at": before(900), "health_status": health, "is_available": health != "unhealthy"},
        {"response_time_ms": 41.7, "error_message": message, "last_health_check": before(2)},
    )


SITES = [
    show_site("Southern imputation server", "michigan", "ZA", "healthy"),
    show_site("Eastern workflow hub", "ga4gh", "KE", "degraded", "It answers slowly: 4.1 s, more than 3 s."),
    show_site("Northern imputation server", "michigan", "EG", "unhealthy", "It does not answer within 10 s."),
]


def show_panel(site: Any, name: str, build: str, populations: list[str], samples: int, variants: int | None) -> Any:
    return shape(
        PanelItem,
        {"id": name_id(site["name"] + name), "service_id": site["id"], "service_name": site["name"], "name": name},
        {"panel_id": name.lower(), "populations": populations, "build": build, "samples_count": samples},
        {"variants_count": variants, "is_active": True, "created_at": before(90_000), "updated_at": before(90_000)},
    )


PANELS = [
    show_panel(SITES[0], "African genomes", "hg38", ["AFR", "all"], 4_908, 88_400_000),
    show_panel(SITES[0], "Worldwide phase 3", "hg19", ["AFR", "EUR", "SAS", "all"], 2_504, 49_143_605),
    show_panel(SITES[1], "Eastern cohorts", "hg38", ["AFR", "all"], 1_210, None),
    show_panel(SITES[2], "Mediterranean genomes", "hg38", ["EUR", "all"], 3_100, 41_000_000),
]
PROBES = [
    shape(
        HealthItem,
        {"id": name_id(f"probe {number}"), "checked_at": before(5 * number + 2), "is_available": number not in (7, 8)},
        {"health_status": "unhealthy" if number in (7, 8) else "healthy", "response_time_ms": 41.7, "message": ""},
    )
    for number in range(40)
]
CREDENTIALS = [{"service_id": SITES[0]["id"], "set_at": before(4_000)}]
