"""Sites and their panels, as the curators keep them; the field names are those of the public interface."""

import re
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils import timezone

from django_app.imputation.encryption import SealedText, SealedTextField
from django_app.imputation.history import ChangeHistory
from django_app.imputation.recipes import validate_recipe
from django_app.imputation.replication import ReplicatedModel
from django_app.imputation.validation import (
    validate_api_config,
    validate_base_url,
    validate_pem,
    validate_words,
)


class ApiKind(models.TextChoices):
    MICHIGAN = "michigan", "Michigan (Cloudgene)"
    GA4GH = "ga4gh", "GA4GH WES"


class Build(models.TextChoices):
    HG19 = "hg19", "hg19 (GRCh37)"
    HG38 = "hg38", "hg38 (GRCh38)"


def default_formats() -> list[str]:
    return ["vcf.gz"]


def site_subject(service_id: UUID) -> str:
    """The name under which changes of a site and its panels travel."""
    return f"site/{service_id}"


class ImputationService(ReplicatedModel):
    """A foreign imputation site."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=200)
    service_type = models.CharField(max_length=50, default="imputation")
    api_type = models.CharField(max_length=20, choices=ApiKind.choices, help_text="The interface that the site speaks.")
    base_url = models.CharField(max_length=500, validators=[validate_base_url])
    location = models.CharField(max_length=200, blank=True, default="", help_text="Institution and city.")
    country = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="ISO 3166 code of two letters (ZA): data residency goes by it.",
    )
    requires_auth = models.BooleanField(default=True)
    credential = SealedTextField()
    credential_set_at = models.DateTimeField(null=True, editable=False, verbose_name="credential set")
    credential_shared = models.BooleanField(
        default=False, help_text="May runs of people without a token of their own use the curated credential?"
    )
    ca_pem = models.TextField(
        null=True, blank=True, max_length=100_000, validators=[validate_pem], verbose_name="CA certificate (PEM)"
    )
    api_config = models.JSONField(
        default=dict, blank=True, validators=[validate_api_config], help_text="Settings of this site's adapter; JSON."
    )
    is_active = models.BooleanField(default=True)
    max_file_size_mb = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    supported_formats = ArrayField(
        models.CharField(max_length=20), default=default_formats, validators=[validate_words], blank=True
    )
    min_samples = models.PositiveIntegerField(null=True, blank=True)
    max_samples = models.PositiveIntegerField(null=True, blank=True, validators=[MinValueValidator(1)])
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = ChangeHistory(
        excluded_fields=["credential"], verbose_name="site change", verbose_name_plural="site changes"
    )

    class Meta(ReplicatedModel.Meta):
        ordering = ("name",)
        verbose_name = "site"
        constraints = (
            models.CheckConstraint(condition=models.Q(api_type__in=ApiKind.values), name="service_api_type_known"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        return site_subject(self.id)

    def set_credential(self, text: str) -> None:
        """Seal and keep `text`; an empty one takes the credential away."""
        self.credential = SealedText.seal(text) if text else None
        self.credential_set_at = timezone.now() if text else None

    def clean(self) -> None:
        if self.country and not re.fullmatch("[A-Za-z]{2}", self.country):
            raise ValidationError({"country": "Give the ISO 3166 code of two letters, such as ZA."})
        if self.min_samples is not None and self.max_samples is not None and self.min_samples > self.max_samples:
            raise ValidationError({"min_samples": "More than max_samples: no cohort would be accepted."})


class ReferencePanel(ReplicatedModel):
    """A panel that a site offers; `panel_id` is the site's own id, never its display name."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    service = models.ForeignKey(ImputationService, on_delete=models.CASCADE, related_name="panels")
    name = models.CharField(max_length=200)
    panel_id = models.CharField(max_length=200, help_text="As the site knows it, such as apps@1000g-phase-3-v5@2.0.0.")
    populations = ArrayField(
        models.CharField(max_length=64), default=list, blank=True, validators=[validate_words], help_text="AFR, EUR, …"
    )
    build = models.CharField(max_length=10, choices=Build.choices)
    samples_count = models.PositiveIntegerField(null=True, blank=True)
    variants_count = models.PositiveBigIntegerField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    recipe = models.JSONField(
        null=True, blank=True, validators=[validate_recipe], help_text="WES only: the workflow that imputes; JSON."
    )
    withdrawn_at = models.DateTimeField(
        null=True,
        editable=False,
        verbose_name="withdrawn since",
        help_text="The site's list no longer has it since then, so researchers cannot choose it, active or not. "
        "Empty while it is offered or the site keeps no list.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    history = ChangeHistory(verbose_name="panel change", verbose_name_plural="panel changes")

    class Meta(ReplicatedModel.Meta):
        ordering = ("name",)
        verbose_name = "panel"
        constraints = (
            models.UniqueConstraint(
                fields=["service", "panel_id"],
                name="panel_once_per_service",
                violation_error_message="This site has a panel with this panel_id already.",
            ),
            models.CheckConstraint(condition=models.Q(build__in=Build.values), name="panel_build_known"),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def subject(self) -> str:
        """Panels travel in their site's document."""
        return site_subject(self.service_id)

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.refuse_move()
        super().save(*args, **kwargs)

    def refuse_move(self) -> None:
        """Sites travel apart: the registry could hear of the new site's panel before the old site has lost it."""
        before = ReferencePanel.objects.filter(pk=self.pk).values_list("service_id", flat=True).first()
        if before not in (None, self.service_id):
            raise ValidationError({"service": "A panel stays with its site: delete it there and add it here."})

    def get_constraints(self) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """Those to ask the database about: of a build the choices tell the same without a query."""
        return [
            (model, [rule for rule in rules if not isinstance(rule, models.CheckConstraint)])
            for model, rules in super().get_constraints()
        ]

    def clean(self) -> None:
        """Asks the database nothing of a new panel without a recipe: a site may list hundreds."""
        if not self._state.adding:
            self.refuse_move()
        if self.recipe is None:
            return
        service = ImputationService.objects.filter(pk=self.service_id).first() if self.service_id else None
        if service is not None and service.api_type != ApiKind.GA4GH:
            raise ValidationError({"recipe": "Recipes are for WES sites; this panel's site speaks another interface."})


class RememberedAnswer(models.Model):
    """The first answer to a request with an `Idempotency-Key`, for 24 h. Answers hold no secrets."""

    scope = models.CharField(max_length=200)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    status = models.IntegerField()
    body = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=["scope", "key"], name="answer_once_per_key"),)

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"
