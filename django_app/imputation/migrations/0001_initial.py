import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import django_app.imputation.encryption
import django_app.imputation.models
import django_app.imputation.recipes
import django_app.imputation.validation


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="ImputationService",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("service_type", models.CharField(default="imputation", max_length=50)),
                (
                    "api_type",
                    models.CharField(
                        choices=[("michigan", "Michigan (Cloudgene)"), ("ga4gh", "GA4GH WES")],
                        help_text="The interface that the site speaks.",
                        max_length=20,
                    ),
                ),
                (
                    "base_url",
                    models.CharField(max_length=500, validators=[django_app.imputation.validation.validate_base_url]),
                ),
                (
                    "location",
                    models.CharField(blank=True, default="", help_text="Institution and city.", max_length=200),
                ),
                (
                    "country",
                    models.CharField(
                        blank=True,
                        default="",
                        help_text="ISO 3166 code of two letters (ZA): data residency goes by it.",
                        max_length=100,
                    ),
                ),
                ("requires_auth", models.BooleanField(default=True)),
                (
                    "credential",
                    django_app.imputation.encryption.SealedTextField(default=None, editable=False, null=True),
                ),
                ("credential_set_at", models.DateTimeField(editable=False, null=True)),
                (
                    "credential_shared",
                    models.BooleanField(
                        default=False,
                        help_text="May runs of people without a token of their own use the curated credential?",
                    ),
                ),
                (
                    "ca_pem",
                    models.TextField(
                        blank=True,
                        max_length=100000,
                        null=True,
                        validators=[django_app.imputation.validation.validate_pem],
                        verbose_name="CA certificate (PEM)",
                    ),
                ),
                (
                    "api_config",
                    models.JSONField(
                        blank=True,
                        default=dict,
                        help_text="Settings of this site's adapter; JSON.",
                        validators=[django_app.imputation.validation.validate_api_config],
                    ),
                ),
                ("is_active", models.BooleanField(default=True)),
                (
                    "max_file_size_mb",
                    models.PositiveIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                (
                    "supported_formats",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20),
                        blank=True,
                        default=django_app.imputation.models.default_formats,
                        size=None,
                        validators=[django_app.imputation.validation.validate_words],
                    ),
                ),
                ("min_samples", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "max_samples",
                    models.PositiveIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(1)]
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "verbose_name": "site",
                "ordering": ("name",),
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("api_type__in", ["michigan", "ga4gh"])), name="service_api_type_known"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="RememberedAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("scope", models.CharField(max_length=200)),
                ("key", models.CharField(max_length=200)),
                ("fingerprint", models.CharField(max_length=64)),
                ("status", models.IntegerField()),
                ("body", models.JSONField()),
                ("created_at", models.DateTimeField(auto_now_add=True, db_index=True)),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("scope", "key"), name="answer_once_per_key")],
            },
        ),
        migrations.CreateModel(
            name="ReferencePanel",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                (
                    "panel_id",
                    models.CharField(
                        help_text="As the site knows it, such as apps@1000g-phase-3-v5@2.0.0.", max_length=200
                    ),
                ),
                (
                    "populations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=64),
                        blank=True,
                        default=list,
                        help_text="AFR, EUR, …",
                        size=None,
                        validators=[django_app.imputation.validation.validate_words],
                    ),
                ),
                (
                    "build",
                    models.CharField(choices=[("hg19", "hg19 (GRCh37)"), ("hg38", "hg38 (GRCh38)")], max_length=10),
                ),
                ("samples_count", models.PositiveIntegerField(blank=True, null=True)),
                ("variants_count", models.PositiveBigIntegerField(blank=True, null=True)),
                ("is_active", models.BooleanField(default=True)),
                (
                    "recipe",
                    models.JSONField(
                        blank=True,
                        help_text="WES only: the workflow that imputes; JSON.",
                        null=True,
                        validators=[django_app.imputation.recipes.validate_recipe],
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("updated_at", models.DateTimeField(auto_now=True)),
                (
                    "service",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="panels",
                        to="imputation.imputationservice",
                    ),
                ),
            ],
            options={
                "verbose_name": "panel",
                "ordering": ("name",),
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("service", "panel_id"),
                        name="panel_once_per_service",
                        violation_error_message="This site has a panel with this panel_id already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("build__in", ["hg19", "hg38"])), name="panel_build_known"
                    ),
                ],
            },
        ),
    ]
