"""Subjects with their versions, and what of them still has to be told to whom."""

from django.db import models
from django.utils import timezone


class Subject(models.Model):
    """Something whose changes others follow, such as `site/<uuid>`.

    Kept for ever, also when the thing itself is gone: its version may never go back. Its row lock orders all changes.
    """

    name = models.CharField(primary_key=True, max_length=200)
    version = models.BigIntegerField(default=0)
    changed_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.name} (version {self.version})"


class Delivery(models.Model):
    """One subscriber has to be told of a subject's newest state.

    A row holds no state of the subject: the document is built when it is delivered, so edits that come meanwhile are
    covered by the row that waits, and no secret is ever stored here.
    """

    subscriber = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    version = models.BigIntegerField(help_text="The subject's version that made this delivery necessary.")
    occurred_at = models.DateTimeField(help_text="The oldest change that waits for this delivery.")
    attempts = models.IntegerField(default=0)
    next_attempt_at = models.DateTimeField()
    delivered_at = models.DateTimeField(null=True, blank=True)
    parked_at = models.DateTimeField(
        null=True, blank=True, help_text="The subscriber refused it: it waits for the next change or a retry."
    )
    error = models.TextField(blank=True, default="")

    class Meta:
        verbose_name_plural = "deliveries"
        indexes = (
            models.Index(
                fields=["subscriber", "subject", "id"],
                name="outbox_waiting",
                condition=models.Q(delivered_at__isnull=True),
            ),
            models.Index(fields=["subject", "-id"], name="outbox_by_subject"),
        )

    def __str__(self) -> str:
        return f"{self.subject} to {self.subscriber}"
