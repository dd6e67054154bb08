"""Recipes of WES panels: which workflow imputes with this panel, and with which parameters.

Placeholders (`{{input.location}}`) in string values of `parameters` are filled in at submission; one that nobody
fills in would reach the site as text, so it is an error at curation.
"""

import re
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ValidationError
from pydantic import BaseModel, ConfigDict, Field

from django_app.imputation.validation import validate_shape
from microservices.backends.base import ResultKind

PLACEHOLDERS = {
    "input.location",
    "input.filename",
    "inputs.locations",
    "panel.panel_id",
    "job.build",
    "job.population",
    "job.phasing",
    "job.r2_filter",
    "job.mode",
}
_IN_BRACES = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)


class RecipeOutput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    pattern: str = Field(min_length=1, max_length=500)
    kind: ResultKind


class Recipe(BaseModel):
    model_config = ConfigDict(extra="forbid")

    workflow_url: str = Field(min_length=1, max_length=2000)
    workflow_type: str = Field(min_length=1, max_length=100)
    workflow_type_version: str = Field(min_length=1, max_length=100)
    workflow_engine: str | None = Field(default=None, max_length=100)
    workflow_engine_version: str | None = Field(default=None, max_length=100)
    engine_parameters: dict[str, Any] | None = None
    attachments: dict[str, str] | None = None
    parameters: dict[str, Any]
    outputs: list[RecipeOutput] | None = None


def validate_recipe(value: Any) -> None:
    """Raises Django's `ValidationError` for a recipe of another shape, or with an unknown placeholder."""
    validate_shape(Recipe, value)
    for text in _walk_texts(value["parameters"]):
        for name in _IN_BRACES.findall(text):
            if name.strip() not in PLACEHOLDERS:
                known = ", ".join(sorted(PLACEHOLDERS))
                raise ValidationError(f"parameters: {{{{{name}}}}} is not known. Known are: {known}.")
        rest = _IN_BRACES.sub("", text)
        if "{{" in rest or "}}" in rest:
            raise ValidationError("parameters: braces without their other half.")


def _walk_texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _walk_texts(part)
