import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Subject",
            fields=[
                ("name", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("version", models.BigIntegerField(default=0)),
                ("changed_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("subscriber", models.CharField(max_length=64)),
                ("subject", models.CharField(max_length=200)),
                (
                    "version",
                    models.BigIntegerField(help_text="The subject's version that made this delivery necessary."),
                ),
                ("occurred_at", models.DateTimeField(help_text="The oldest change that waits for this delivery.")),
                ("attempts", models.IntegerField(default=0)),
                ("next_attempt_at", models.DateTimeField()),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                (
                    "parked_at",
                    models.DateTimeField(
                        blank=True,
                        help_text="The subscriber refused it: it waits for the next change or a retry.",
                        null=True,
                    ),
                ),
                ("error", models.TextField(blank=True, default="")),
            ],
            options={
                "verbose_name_plural": "deliveries",
                "indexes": [
                    models.Index(
                        condition=models.Q(("delivered_at__isnull", True)),
                        fields=["subscriber", "subject", "id"],
                        name="outbox_waiting",
                    ),
                    models.Index(fields=["subject", "-id"], name="outbox_by_subject"),
                ],
            },
        ),
    ]
