"""Models of which others hold copies: no change of them may go unnoticed.

Signals note the changes, in the transaction that makes them. What Django does without signals is refused here.
"""

from typing import Any, NoReturn, TypeVar

from django.db import models, transaction

M = TypeVar("M", bound=models.Model)


class UnnoticedChangeError(Exception):
    """A change that sends no signal, so that the registry would never hear of it."""

    def __init__(self, method: str, model: str) -> None:
        super().__init__(
            f"{model}: {method}() sends no signals, so the registry would never hear of the change. "
            "Load the objects and call save() on each (for related objects: add(…, bulk=False))."
        )


class ReplicatedQuerySet(models.QuerySet[M]):
    """`delete()` is allowed: it sends a signal for each object, and runs in one transaction."""

    def update(self, **_values: Any) -> NoReturn:
        raise UnnoticedChangeError("update", self.model.__name__)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise UnnoticedChangeError("bulk_create", self.model.__name__)

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise UnnoticedChangeError("bulk_update", self.model.__name__)


class ReplicatedModel(models.Model):
    objects = ReplicatedQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"  # related managers change rows through it

    def save(self, *args: Any, **kwargs: Any) -> None:
        """In a transaction of its own at least: `post_save` comes after that of Django's save."""
        with transaction.atomic():
            super().save(*args, **kwargs)
