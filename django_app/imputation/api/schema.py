"""What every operation of the curation API has in common, added to its description: refusals and ETags."""

from typing import Any

_TEXT = {"type": "string"}
_PROBLEM = {
    "type": "object",
    "description": "An RFC 9457 problem; `code` is stable, `detail` tells what to do next.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        **dict.fromkeys(("type", "title", "detail", "code", "request_id"), _TEXT),
        "status": {"type": "integer"},
        "errors": {"type": "array", "items": {"type": "object", "properties": {"field": _TEXT, "message": _TEXT}}},
    },
}
_ANSWER = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_REFUSALS = {
    "400": "The request is not valid",
    "401": "Log in first",
    "403": "Your account may not do this",
    "404": "There is nothing with this id",
    "409": "This cannot be done in the present state",
    "412": "Somebody else changed this first",
}
_METHODS = {
    "get": {"400", "401", "403"},
    "post": {"400", "401", "403", "409"},
    "patch": {"400", "401", "403", "409", "412"},
    "delete": {"400", "401", "403", "409", "412"},
}
_ETAG = {"ETag": {"description": "The state that this answer shows, for If-Match.", "schema": _TEXT}}
_TWO_SIDED = {"get", "patch"}


def describe_refusals(result: dict[str, Any], **_given: Any) -> dict[str, Any]:
    """A hook of drf-spectacular."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    for path, operations in result["paths"].items():
        of_one = "{id}" in path
        for method, operation in operations.items():
            answers = operation["responses"]
            for status in sorted(_METHODS[method] | ({"404"} if of_one else set())):
                answers.setdefault(status, {"description": _REFUSALS[status], "content": _ANSWER})
            if path.endswith("{id}/") and method in _TWO_SIDED:
                answers["200"]["headers"] = _ETAG
    return result
