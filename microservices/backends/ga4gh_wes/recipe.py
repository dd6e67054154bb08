"""A curator's recipe, filled in for one run: what WES has in place of a reference panel."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from microservices.backends.base import ResultKind, SiteError, Submission

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_ALL, _ONE = "inputs.locations", "input.location"
_ATTACHMENT = re.compile(r"(?!.*(?:^|/)\.{1,2}(?:/|$))[A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)*")


class RecipeOutput(BaseModel):
    """`pattern`: as a shell's, of a result's name with or without its folders."""

    pattern: str
    kind: ResultKind


class Recipe(BaseModel):
    """What the catalogue holds; curation has checked it, but a panel may be older than a check."""

    workflow_url: str = Field(min_length=1)
    workflow_type: str = Field(min_length=1)
    workflow_type_version: str = Field(min_length=1)
    workflow_engine: str | None = None
    workflow_engine_version: str | None = None
    engine_parameters: dict[str, Any] | None = None
    attachments: dict[str, str] | None = None
    parameters: dict[str, Any]
    outputs: list[RecipeOutput] | None = None

    def find_kind(self, name: str) -> ResultKind | None:
        """Of the first pattern that fits a result's name; None for a file that is no result."""
        base = name.rpartition("/")[2]
        fits = (
            out.kind for out in self.outputs or () if fnmatchcase(name, out.pattern) or fnmatchcase(base, out.pattern)
        )
        return next(fits, None)


def read_recipe(document: dict[str, Any] | None) -> Recipe:
    """Raises `SiteError` (permanent, the platform's) where there is none that can be used."""
    if document is None:
        raise refuse_recipe("The panel has no recipe, so nothing says which workflow imputes with it.")
    try:
        recipe = Recipe.model_validate(document)
    except ValidationError as error:
        places = ", ".join(sorted({".".join(map(str, problem["loc"])) for problem in error.errors()})[:5])
        raise refuse_recipe(f"The panel's recipe cannot be used (at {places}).") from None
    for name in recipe.attachments or ():
        if not _ATTACHMENT.fullmatch(name):
            raise refuse_recipe(f"The recipe's attachment {name!r} has a name that servers change.")
    return recipe


def refuse_recipe(message: str) -> SiteError:
    return SiteError(
        message,
        code="recipe_unusable",
        permanent=True,
        whose="platform",
        fix="A curator has to correct the panel's recipe.",
    )


@dataclass(frozen=True)
class Inputs:
    """Where the site finds the run's files: relative names of attachments, or signed addresses."""

    locations: Sequence[str]
    filenames: Sequence[str]


def fill_parameters(recipe: Recipe, submission: Submission, inputs: Inputs) -> dict[str, Any]:
    """The recipe's parameters with every placeholder filled in; what is no text stays as the curator wrote it.

    Raises `SiteError`: several files where the recipe takes one, a mode that it cannot do, or an unknown placeholder.
    """
    used = set(_walk_placeholders(recipe.parameters))
    if len(inputs.locations) > 1 and _ALL not in used:
        raise _refuse_wish(
            "The workflow of this panel takes one file at a time.", "one_file_only", "Submit each file as its own job."
        )
    if submission.mode != "imputation" and "job.mode" not in used:
        raise _refuse_wish(
            f"The workflow of this panel knows no mode '{submission.mode}'.", "mode_unsupported", "Choose imputation."
        )
    filled: dict[str, Any] = _fill(recipe.parameters, _list_values(submission, inputs), list(inputs.locations))
    return filled


def _walk_placeholders(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _walk_placeholders(part)


def _list_values(submission: Submission, inputs: Inputs) -> dict[str, str]:
    return {
        _ONE: inputs.locations[0],
        "input.filename": inputs.filenames[0],
        _ALL: " ".join(inputs.locations),
        "panel.panel_id": submission.panel_id,
        "job.build": submission.build,
        "job.population": submission.population or "",
        "job.phasing": submission.phasing,
        "job.r2_filter": f"{submission.r2_filter:g}",
        "job.mode": submission.mode,
    }


def _fill(value: Any, values: dict[str, str], locations: list[str]) -> Any:
    """`{{inputs.locations}}` alone becomes a list; inside other text its parts stand between blanks."""
    if isinstance(value, dict):
        return {key: _fill(part, values, locations) for key, part in value.items()}
    if isinstance(value, list):
        return [_fill(part, values, locations) for part in value]
    if not isinstance(value, str):
        return value
    whole = _PLACEHOLDER.fullmatch(value.strip())
    if whole and whole[1] == _ALL:
        return locations
    return _PLACEHOLDER.sub(lambda found: _look_up(found[1], values), value)


def _look_up(name: str, values: dict[str, str]) -> str:
    if name not in values:
        raise refuse_recipe(f"The recipe has the unknown placeholder {{{{{name}}}}}.")
    return values[name]


def turn_into_texts(parameters: dict[str, Any]) -> dict[str, str]:
    """For servers that take nothing else: lists are joined by blanks. Raises `SiteError` for what has no text."""
    texts: dict[str, str] = {}
    for name, value in parameters.items():
        match value:
            case bool():
                texts[name] = "true" if value else "false"
            case str() | int() | float():
                texts[name] = str(value)
            case list() if all(isinstance(part, str | int | float) for part in value):
                texts[name] = " ".join(map(str, value))
            case None:
                continue
            case _:
                raise refuse_recipe(f"This site takes parameters as text only, and {name!r} is none.")
    return texts


def _refuse_wish(message: str, code: str, fix: str) -> SiteError:
    return SiteError(message, code=code, permanent=True, whose="input", fix=fix)
