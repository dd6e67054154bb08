import uuid
from typing import Any

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.db import migrations, models
from django.utils import timezone

import django_app.imputation.history
import django_app.imputation.models
import django_app.imputation.recipes
import django_app.imputation.validation


def record_what_is_there(apps: Any, _schema_editor: Any) -> None:
    """The first change of a row that is older than its history can then be told, too."""
    for name in ("ImputationService", "ReferencePanel"):
        record = apps.get_model("imputation", f"Historical{name}")
        columns = {field.attname for field in record._meta.fields}
        for row in apps.get_model("imputation", name).objects.all():
            record.objects.create(
                **{
                    field.attname: getattr(row, field.attname) for field in row._meta.fields if field.attname in columns
                },
                history_type="+",
                history_date=timezone.now(),
                history_change_reason="start of the history",
            )


class Migration(migrations.Migration):
    dependencies = [
        ("imputation", "0002_panel_withdrawn_at"),
    ]

    operations = [
        migrations.CreateModel(
            name="HistoricalImputationService",
            fields=[
                (
                    "request_id",
                    models.CharField(
                        default=django_app.imputation.history.tell_request_id,
                        help_text="Names the lines of the log.",
                        max_length=64,
                    ),
                ),
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
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
                ("credential_set_at", models.DateTimeField(editable=False, null=True, verbose_name="credential set")),
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
                ("created_at", models.DateTimeField(blank=True, editable=False)),
                ("updated_at", models.DateTimeField(blank=True, editable=False)),
                ("history_user_id", models.CharField(default="", max_length=320, verbose_name="who")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
            ],
            options={
                "verbose_name": "site change",
                "verbose_name_plural": "site changes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AlterField(
            model_name="imputationservice",
            name="credential_set_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="credential set"),
        ),
        migrations.CreateModel(
            name="HistoricalReferencePanel",
            fields=[
                (
                    "request_id",
                    models.CharField(
                        default=django_app.imputation.history.tell_request_id,
                        help_text="Names the lines of the log.",
                        max_length=64,
                    ),
                ),
                ("id", models.UUIDField(db_index=True, default=uuid.uuid4, editable=False)),
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
                (
                    "withdrawn_at",
                    models.DateTimeField(
                        editable=False,
                        help_text="The site's list no longer has it since then; empty while it is offered or the site keeps no list.",
                        null=True,
                        verbose_name="withdrawn since",
                    ),
                ),
                ("created_at", models.DateTimeField(blank=True, editable=False)),
                ("updated_at", models.DateTimeField(blank=True, editable=False)),
                ("history_user_id", models.CharField(default="", max_length=320, verbose_name="who")),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
                ),
                (
                    "service",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="imputation.imputationservice",
                    ),
                ),
            ],
            options={
                "verbose_name": "panel change",
                "verbose_name_plural": "panel changes",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
                "default_permissions": ("view",),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RunPython(record_what_is_there, migrations.RunPython.noop),
    ]
