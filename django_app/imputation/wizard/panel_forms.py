"""Choosing among the panels that a site lists, and writing recipes where it lists none."""

import hashlib
import json
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.postgres.forms import SimpleArrayField
from django.core.exceptions import ValidationError
from django.forms import BaseFormSet, formset_factory
from django.http import QueryDict
from unfold.widgets import (
    UnfoldAdminBigIntegerFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from django_app.imputation.models import Build, ReferencePanel
from microservices.backends.description import OfferedPanel, SiteDescription, WorkflowFacts

if TYPE_CHECKING:
    PanelModelForm = forms.ModelForm[ReferencePanel]
    Recipes = BaseFormSet[forms.ModelForm[ReferencePanel]]
else:
    PanelModelForm = forms.ModelForm
    Recipes = BaseFormSet

_BUILDS = [("", "Which build?"), *Build.choices]


class OfferForm(PanelModelForm):
    """One panel of the site's list; its id and populations are the site's and are not typed."""

    seen = forms.CharField(widget=forms.HiddenInput, initial="1")
    chosen = forms.BooleanField(required=False, widget=UnfoldBooleanWidget())
    build = forms.ChoiceField(label="Build", required=False, choices=_BUILDS, widget=UnfoldAdminSelectWidget())

    class Meta:
        model = ReferencePanel
        fields = ("name", "build")
        widgets = {"name": UnfoldAdminTextInputWidget()}  # noqa: RUF012

    def __init__(self, offered: OfferedPanel, typed: QueryDict | None) -> None:
        self.offered = offered
        prefix = name_prefix(offered)
        panel = ReferencePanel(panel_id=offered.panel_id, populations=list(dict.fromkeys(offered.populations)))
        told = {"name": offered.name[:200], "build": offered.build or "", "chosen": offered.build is not None}
        known = typed if typed is not None and f"{prefix}-seen" in typed else None
        super().__init__(data=known, prefix=prefix, instance=panel, initial=told)
        for name, what in (("chosen", "Offer"), ("name", "Name of"), ("build", "Build of")):
            self.fields[name].widget.attrs["aria-label"] = f"{what} {offered.panel_id}"
        # A panel that is not taken needs neither.
        takes = known is None or f"{prefix}-chosen" in known
        self.fields["name"].required = takes

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("chosen") and not cleaned.get("build"):
            self.add_error("build", "The site does not tell the build: choose it.")
        return cleaned

    def _post_clean(self) -> None:
        """The model's rules, for a panel that is taken."""
        if self.cleaned_data.get("chosen") and self.cleaned_data.get("build"):
            super()._post_clean()  # type: ignore[misc]

    @property
    def is_taken(self) -> bool:
        return bool(self.cleaned_data.get("chosen"))

    @property
    def is_as_told(self) -> bool:
        """Whether nothing of it is the curator's own."""
        panel = self.instance
        return panel.name == self.offered.name and panel.build == self.offered.build


def name_prefix(offered: OfferedPanel) -> str:
    """The fields of a panel keep their names when the site's list changes its order."""
    return f"panel-{hashlib.sha256(offered.panel_id.encode()).hexdigest()[:10]}"


class RecipeField(forms.JSONField):
    """Text as it was typed or laid out, never written anew: a curator finds again what was wrong."""

    def bound_data(self, data: Any, _initial: Any) -> Any:
        return data

    def prepare_value(self, value: Any) -> Any:
        return value


class RecipeForm(PanelModelForm):
    """A panel of a WES site: `facts` are what the site says that it runs, where it says so."""

    populations = SimpleArrayField(
        forms.CharField(max_length=64),
        required=False,
        widget=UnfoldAdminTextInputWidget({"placeholder": "AFR, EUR"}),
        help_text="Separated by commas.",
    )

    class Meta:
        model = ReferencePanel
        fields = ("name", "panel_id", "populations", "build", "samples_count", "variants_count", "recipe")
        labels = {  # noqa: RUF012
            "panel_id": "Panel id",
            "samples_count": "Samples",
            "variants_count": "Variants",
        }
        help_texts = {"panel_id": "What the workflow is given for {{panel.panel_id}}."}  # noqa: RUF012
        widgets = {  # noqa: RUF012
            "name": UnfoldAdminTextInputWidget(),
            "panel_id": UnfoldAdminTextInputWidget(),
            "build": UnfoldAdminSelectWidget(),
            "samples_count": UnfoldAdminIntegerFieldWidget(),
            "variants_count": UnfoldAdminBigIntegerFieldWidget(),
            "recipe": UnfoldAdminTextareaWidget({"rows": 18, "spellcheck": "false", "class": "ih-code"}),
        }

    def __init__(self, *args: Any, facts: WorkflowFacts | None = None, template: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.facts = facts
        self.fields["recipe"] = RecipeField(
            label="Recipe",
            initial=template,
            widget=self.fields["recipe"].widget,
            help_text="The workflow that imputes with this panel; JSON.",
        )
        self.fields["build"].widget.choices = _BUILDS

    def has_changed(self) -> bool:
        """A form that is in the page is a panel that is wanted; it is left out by its own tick."""
        return True

    def clean_recipe(self) -> Any:
        recipe = self.cleaned_data["recipe"]
        if self.facts is not None and isinstance(recipe, dict):
            check_offered(self.facts, recipe)
        return recipe


def lay_out(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def check_offered(facts: WorkflowFacts, recipe: dict[str, Any]) -> None:
    """Raises `ValidationError` for a workflow that the site says it does not run."""
    wanted, version = str(recipe.get("workflow_type")), str(recipe.get("workflow_type_version"))
    versions = next((known for name, known in facts.types if name.lower() == wanted.lower()), None)
    if versions is None:
        offers = ", ".join(name for name, _ in facts.types) or "none"
        raise ValidationError(f"The site does not run workflows of type {wanted}; it offers: {offers}.")
    if versions and version not in versions:
        raise ValidationError(f"The site does not run {wanted} {version}; it offers: {', '.join(versions)}.")
    engine = recipe.get("workflow_engine")
    engines = [name for name, _ in facts.engines]
    if engine and engines and engine not in engines:
        raise ValidationError(f"The site has no engine {engine}; it offers: {', '.join(engines)}.")


class RecipeFormSet(Recipes):
    def add_fields(self, form: PanelModelForm, index: int | None) -> None:
        super().add_fields(form, index)
        form.fields["DELETE"] = forms.BooleanField(
            label="Leave this panel out", required=False, widget=UnfoldBooleanWidget()
        )

    def clean(self) -> None:
        kept = [form for form in self.forms if form not in self.deleted_forms]
        ids = [form.cleaned_data.get("panel_id") for form in kept if form.is_valid()]
        if len(set(ids)) != len(ids):
            raise ValidationError("Two panels have the same panel id: each needs its own.")


def open_recipes(description: SiteDescription | None, typed: QueryDict | None) -> Any:
    """The formset of a WES site's panels; the first one stands there with a recipe to be filled in."""
    factory: Any = formset_factory(RecipeForm, formset=RecipeFormSet, extra=1, can_delete=True, max_num=100)
    facts = description.workflows if description else None
    sent = typed if typed is not None and "recipes-TOTAL_FORMS" in typed else None
    return factory(
        data=sent, prefix="recipes", form_kwargs={"facts": facts, "template": lay_out(draft_recipe(description))}
    )


def draft_recipe(description: SiteDescription | None) -> dict[str, Any]:
    """A recipe to begin with, with what the site says of itself; the workflow is the curator's."""
    facts = description.workflows if description else None
    kind, versions = facts.types[0] if facts and facts.types else ("", ())
    recipe: dict[str, Any] = {
        "workflow_url": dict(facts.tags).get("workflow_url", "") if facts else "",
        "workflow_type": kind,
        "workflow_type_version": versions[-1] if versions else "",
    }
    if description and facts and facts.engines and description.software in ("Sapporo", "WES"):
        engine, engine_versions = facts.engines[0]
        recipe |= {"workflow_engine": engine}
        recipe |= {"workflow_engine_version": engine_versions[-1]} if engine_versions else {}
    parameters = {
        "targets": "{{inputs.locations}}",
        "panel": "{{panel.panel_id}}",
        "build": "{{job.build}}",
        "phasing": "{{job.phasing}}",
        "r2_filter": "{{job.r2_filter}}",
    }
    outputs = [{"pattern": "*.vcf.gz", "kind": "imputed_data"}]
    return {**recipe, "parameters": parameters, "outputs": outputs}
