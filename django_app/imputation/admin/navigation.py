"""The side bar: who sees which pages."""

from typing import Any

from django.contrib.auth.models import AnonymousUser, User
from django.http import HttpRequest
from django.urls import reverse

_GROUPS: list[tuple[str, list[tuple[str, str, str, str]]]] = [
    (
        "Curation",
        [
            ("Sites", "dns", "admin:imputation_imputationservice_changelist", "imputation.view_imputationservice"),
            ("Panels", "genetics", "admin:imputation_referencepanel_changelist", "imputation.view_referencepanel"),
            (
                "Site changes",
                "history",
                "admin:imputation_historicalimputationservice_changelist",
                "imputation.view_historicalimputationservice",
            ),
            (
                "Panel changes",
                "history",
                "admin:imputation_historicalreferencepanel_changelist",
                "imputation.view_historicalreferencepanel",
            ),
            ("Deliveries", "outbox", "admin:outbox_delivery_changelist", "outbox.view_delivery"),
        ],
    ),
    (
        "Platform",
        [
            ("Jobs", "work_history", "jobs", "staff.view_jobs"),
            ("Microservices", "monitor_heart", "microservices", ""),
        ],
    ),
    (
        "Accounts",
        [
            ("Users", "person", "admin:auth_user_changelist", "auth.view_user"),
            ("Groups", "group", "admin:auth_group_changelist", "auth.view_group"),
        ],
    ),
]


def list_pages(request: HttpRequest) -> list[dict[str, Any]]:
    """For unfold's SIDEBAR; a group without a page for this person is left out."""
    groups = [
        {"title": title, "items": [_make_link(*page) for page in pages if _may_see(request.user, page[3])]}
        for title, pages in _GROUPS
    ]
    return [group for group in groups if group["items"]]


def _may_see(user: User | AnonymousUser, permission: str) -> bool:
    return user.has_perm(permission) if permission else user.is_staff


def _make_link(title: str, icon: str, route: str, _permission: str) -> dict[str, str]:
    return {"title": title, "icon": icon, "link": reverse(route)}
