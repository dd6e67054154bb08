"""History pages: of one site with its panels, of one panel, and of everything, what is deleted included."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import CharField, Value
from django.http import Http404, HttpRequest
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.admin import ModelAdmin
from unfold.decorators import display

from django_app.imputation.history import CREATED, find_previous, list_changes
from django_app.imputation.models import ImputationService, ReferencePanel

if TYPE_CHECKING:
    from django.db.models import Model, QuerySet

_PER_PAGE = 50
_LOOKS = {"Created": "success", "Changed": "info", "Deleted": "danger"}
_RECORDS = {"site": ImputationService.history.model, "panel": ReferencePanel.history.model}


def find_records(kind: str, id_: UUID) -> "QuerySet[Any, dict[str, Any]]":
    """(kind, history_id) of the records of a site and its panels, or of one panel; the newest first."""
    mine = {"site": [("site", {"id": id_}), ("panel", {"service_id": id_})], "panel": [("panel", {"id": id_})]}[kind]
    first, *more = [
        _RECORDS[name]
        .objects.filter(**chosen)
        .order_by()
        .values("history_date", "history_id", kind=Value(name, CharField()))
        for name, chosen in mine
    ]
    found: QuerySet[Any, dict[str, Any]] = first.union(*more, all=True).order_by("-history_date", "-history_id")
    return found


def describe_records(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """For the page's table, in the order of `rows`."""
    rows = list(rows)
    records = {
        kind: model.objects.in_bulk([row["history_id"] for row in rows if row["kind"] == kind])
        for kind, model in _RECORDS.items()
    }
    return [_describe(row["kind"], records[row["kind"]][row["history_id"]]) for row in rows]


def _describe(kind: str, record: Any) -> dict[str, Any]:
    action = record.get_history_type_display()
    changes = list_changes(record, find_previous(record))
    return {
        "record": record,
        "kind": kind,
        "action": action,
        "look": _LOOKS[action],
        "changes": changes,
        "folded": record.history_type == CREATED,
    }


class HistoryPages:
    """Beside `ModelAdmin` in the bases of a page: its button *History*. `history_kind`: "site" or "panel"."""

    history_kind = ""

    def history_view(
        self: Any, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Also of what is deleted: the address stays."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            id_ = UUID(unquote(object_id))
        except ValueError as error:
            raise Http404 from error
        last = _RECORDS[self.history_kind].objects.filter(id=id_).first()
        if last is None:
            raise Http404
        page = Paginator(find_records(self.history_kind, id_), _PER_PAGE).get_page(request.GET.get(PAGE_VAR))
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {last.name}",
            "opts": self.opts,
            "object": self.model.objects.filter(pk=id_).first(),
            "page": page,
            "page_range": page.paginator.get_elided_page_range(page.number),
            "page_var": PAGE_VAR,
            "entries": describe_records(page.object_list),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "imputation/history.html", context)


class RecordPage(ModelAdmin):
    """All changes of a kind, to look for what is deleted and for what somebody did."""

    list_display = ("when", "who", "what", "name", "way", "changes")
    list_display_links = None
    list_filter = ("history_type", "history_change_reason", "history_user_id")
    list_filter_submit = False
    search_fields = ("name", "history_user_id", "request_id")
    date_hierarchy = "history_date"
    ordering = ("-history_date", "-history_id")

    @admin.display(description="When (UTC)", ordering="history_date")
    def when(self, record: Any) -> str:
        return f"{record.history_date:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="Who", ordering="history_user_id")
    def who(self, record: Any) -> str:
        return record.history_user_id or "the platform"

    @display(description="What", label=_LOOKS, ordering="history_type")  # type: ignore[untyped-decorator]
    def what(self, record: Any) -> str:
        return str(record.get_history_type_display())

    @admin.display(description="By way of", ordering="history_change_reason")
    def way(self, record: Any) -> str:
        return str(record.history_change_reason or "")

    @admin.display(description="Changes")
    def changes(self, record: Any) -> str:
        kind = type(record).instance_type._meta.model_name
        context = {**_describe("", record), "history": reverse(f"admin:imputation_{kind}_history", args=[record.id])}
        return render_to_string("imputation/changes.html", context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: "Model | None" = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: "Model | None" = None) -> bool:
        return False


admin.site.register(list(_RECORDS.values()), RecordPage)
