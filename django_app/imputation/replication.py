"""Models of which others hold copies: no change of them may go unnoticed.

Signals note the changes, in the transaction that makes them. What Django does without signals is refused here. SQL
written by hand is beyond its reach: `imputehub catalog check` finds what that has changed.
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
    def delete(self) -> tuple[int, dict[str, int]]:
        """Sends a signal for each object, in one transaction; the locks of all are taken first, in their order."""
        from django_app.outbox.recording import lock_subjects  # which needs the applications to be ready

        with transaction.atomic():
            lock_subjects(*(row.subject for row in self))  # type: ignore[attr-defined]
            return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]

    def update(self, **_values: Any) -> NoReturn:
        raise UnnoticedChangeError("update", self.model.__name__)

    update.alters_data = True  # type: ignore[attr-defined]

    def bulk_create(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise UnnoticedChangeError("bulk_create", self.model.__name__)

    def bulk_update(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise UnnoticedChangeError("bulk_update", self.model.__name__)

    def _raw_delete(self, using: str | None) -> NoReturn:
        raise UnnoticedChangeError("_raw_delete", self.model.__name__)


class ReplicatedModel(models.Model):
    objects = ReplicatedQuerySet.as_manager()

    class Meta:
        abstract = True
        base_manager_name = "objects"  # related managers change rows through it

    def save_base(self, *args: Any, **kwargs: Any) -> None:
        """In a transaction of its own at least: `post_save` comes after that of Django's save. Fixtures come here too,
        past `save()`."""
        with transaction.atomic():
            super().save_base(*args, **kwargs)
