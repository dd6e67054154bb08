"""Lists: `?limit=&cursor=&sort=` → `{"items", "next_cursor", "total"}`, by keyset, so pages never shift."""

import base64
import binascii
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import Model, Q
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response

from microservices.kernel.errors import InvalidInputError

if TYPE_CHECKING:
    from rest_framework.views import APIView

_DEFAULT, _MOST = 50, 200
_PARAMETERS = {"limit": "integer", "cursor": "string", "sort": "string"}


class CursorPages(BasePagination):
    """Views say `sortable` (field names, the first is the default, `-` for descending) and `page_key` (unique)."""

    def paginate_queryset(self, queryset: Any, request: Request, view: "APIView | None" = None) -> list[Any]:
        sortable: tuple[str, ...] = view.sortable  # type: ignore[union-attr]
        key: str = getattr(view, "page_key", "pk")
        _refuse_unknown(request, view)
        sort = request.query_params.get("sort", sortable[0])
        name = _find_sort(sort, sortable)
        limit = _read_limit(request.query_params.get("limit"))
        self._total = queryset.count()
        if cursor := request.query_params.get("cursor"):
            queryset = queryset.filter(_after(cursor, sort, name, key, queryset.model))
        sign = "-" if sort.startswith("-") else ""
        rows = list(queryset.order_by(f"{sign}{name}", f"{sign}{key}")[: limit + 1])
        self._next = _write_cursor(sort, rows[limit - 1], name, key) if len(rows) > limit else None
        return rows[:limit]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"items": data, "next_cursor": self._next, "total": self._total})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "object",
            "required": ["items", "next_cursor", "total"],
            "properties": {
                "items": schema,
                "next_cursor": {"type": "string", "nullable": True},
                "total": {"type": "integer"},
            },
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "query", "required": False, "schema": {"type": type_}}
            for name, type_ in _PARAMETERS.items()
        ]


def _refuse_unknown(request: Request, view: Any) -> None:
    filters = getattr(view, "filterset_class", None)
    known = {*_PARAMETERS, *(filters.base_filters if filters else ())}
    for name in request.query_params:
        if name not in known:
            raise InvalidInputError(
                f"The query parameter '{name[:100]}' is not known. Known are: {', '.join(sorted(known))}.",
                errors=[{"field": name[:100], "message": "unknown"}],
            )


def _find_sort(sort: str, sortable: tuple[str, ...]) -> str:
    names = sorted({name.removeprefix("-") for name in sortable})
    if sort.removeprefix("-") not in names:
        raise InvalidInputError(
            f"Cannot sort by '{sort[:100]}'. Choose one of: {', '.join(names)}.",
            errors=[{"field": "sort", "message": "unknown"}],
        )
    return sort.removeprefix("-")


def _read_limit(text: str | None) -> int:
    limit = int(text) if text and text.isascii() and text.isdigit() and len(text) < 6 else 0
    if text is not None and not 1 <= limit <= _MOST:
        raise InvalidInputError(
            f"limit: a number from 1 to {_MOST}.", errors=[{"field": "limit", "message": f"1 to {_MOST}"}]
        )
    return limit or _DEFAULT


def _write_cursor(sort: str, row: Any, name: str, key: str) -> str:
    value = getattr(row, name)
    text = value.isoformat() if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(json.dumps([sort, text, str(getattr(row, key))]).encode()).decode()


def _field(model: type[Model], name: str) -> Any:
    return model._meta.pk if name == "pk" else model._meta.get_field(name)


def _after(cursor: str, sort: str, name: str, key: str, model: type[Model]) -> Q:
    """What comes after the row that the cursor names."""
    try:
        for_sort, value, last = json.loads(base64.urlsafe_b64decode(cursor.encode()))
        if for_sort != sort or not isinstance(value, str) or "\x00" in f"{value}{last}":
            raise ValueError("made for another list")
        value = _field(model, name).to_python(value)
        last = _field(model, key).to_python(last)
    except Exception as error:  # whatever a made-up cursor provokes is a fault of the cursor
        if not isinstance(error, (ValueError, TypeError, binascii.Error, RecursionError)) and not hasattr(
            error, "error_list"
        ):
            raise
        raise InvalidInputError(
            "The cursor is not one of this list's. Start again without it.",
            errors=[{"field": "cursor", "message": "not valid"}],
        ) from error
    side = "lt" if sort.startswith("-") else "gt"
    return Q(**{f"{name}__{side}": value}) | Q(**{name: value, f"{key}__{side}": last})
