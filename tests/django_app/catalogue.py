"""Sites and panels to curate."""

from typing import Any

from django_app.imputation.models import ImputationService, ReferencePanel

SITE: dict[str, Any] = {
    "name": "Server of Examples",
    "api_type": "michigan",
    "base_url": "https://imputation.example.org",
    "location": "Example Institute",
    "country": "ZA",
}
PANEL: dict[str, Any] = {
    "name": "1000 Genomes Phase 3",
    "panel_id": "apps@1000g-phase-3-v5@2.0.0",
    "populations": ["AFR", "EUR"],
    "build": "hg19",
    "samples_count": 2504,
}
LOCAL = {"allow_private_network": True}


def add_site(**changes: Any) -> ImputationService:
    return ImputationService.objects.create(**{**SITE, **changes})


def add_local_site(url: str, credential: str = "", **changes: Any) -> ImputationService:
    site = add_site(base_url=url, **{"api_config": LOCAL, **changes})
    if credential:
        site.set_credential(credential)
        site.save()
    return site


def add_panel(service: ImputationService, **changes: Any) -> ReferencePanel:
    return ReferencePanel.objects.create(service=service, **{**PANEL, **changes})
