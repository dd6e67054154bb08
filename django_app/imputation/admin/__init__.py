"""The curators' pages."""

from django_app.imputation.admin.accounts import GroupPage, UserPage
from django_app.imputation.admin.history import RecordPage
from django_app.imputation.admin.panels import PanelAdmin, PanelInline
from django_app.imputation.admin.services import ServiceAdmin

__all__ = ["GroupPage", "PanelAdmin", "PanelInline", "RecordPage", "ServiceAdmin", "UserPage"]
