"""Answers that never change, in the shapes that the services themselves give them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from pydantic import BaseModel

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
MIB = 1024 * 1024


def name_id(name: str) -> str:
    """The same id for the same thing, always."""
    return str(uuid5(UUID(int=0), name))


def before(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


def shape(model: type[BaseModel], *fields: dict[str, Any]) -> Any:
    """As the service would answer it, what is not told being null; raises when a service would not."""
    told = {key: value for part in fields for key, value in part.items()}
    absent = {name: None for name, field in model.model_fields.items() if field.is_required() and name not in told}
    return model.model_validate({**absent, **told}).model_dump(mode="json")


def list_page(items: Iterable[Any]) -> dict[str, Any]:
    listed = list(items)
    return {"items": listed, "next_cursor": None, "total": len(listed)}
