"""`/docs`: the curation API on one page, made here from the schema, so that no browser has to ask other hosts."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator


@require_safe
def show_documentation(request: HttpRequest) -> HttpResponse:
    schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    operations = [
        _describe(method, path, operation)
        for path, methods in sorted(schema["paths"].items())
        for method, operation in methods.items()
    ]
    shapes = [
        (name, list(shape["properties"].items()))
        for name, shape in schema["components"]["schemas"].items()
        if "properties" in shape and not name.startswith("Paginated")
    ]
    return render(request, "imputation/docs.html", {"info": schema["info"], "operations": operations, "shapes": shapes})


def _describe(method: str, path: str, operation: dict[str, Any]) -> dict[str, Any]:
    return {
        "method": method.upper(),
        "path": path,
        "description": operation.get("description", ""),
        "parameters": [
            parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"
        ],
        "takes": _name_shape(operation.get("requestBody", {})),
        "gives": [(status, _name_shape(answer)) for status, answer in operation["responses"].items()],
    }


def _name_shape(message: dict[str, Any]) -> str:
    """The name of a body's shape, or of a list's items; empty without a body."""
    schema: dict[str, Any] = message.get("content", {}).get("application/json", {}).get("schema", {})
    items = schema.get("properties", {}).get("items", {})
    reference = str(schema.get("$ref") or items.get("items", {}).get("$ref", ""))
    return reference.rpartition("/")[2]
