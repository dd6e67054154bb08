"""Every change of a site or of one of its panels is noted as a change of the site.

`pre_…` takes the subject's lock before the rows are touched, so that two changes of one site never deadlock; `post_…`
notes the change, in the same transaction. There are no many-to-many fields here, hence no `m2m_changed`.
"""

from typing import Any

from django.db.models.signals import post_delete, post_save, pre_delete, pre_save

from django_app.imputation.documents import SITE_PRODUCER
from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.outbox.documents import register_producer
from django_app.outbox.recording import lock_subjects, record_change


def connect() -> None:
    register_producer("site", SITE_PRODUCER)
    for model in (ImputationService, ReferencePanel):
        for before in (pre_save, pre_delete):
            before.connect(lock_site, sender=model)
        for after in (post_save, post_delete):
            after.connect(record_site, sender=model)


def lock_site(instance: ImputationService | ReferencePanel, raw: bool = False, **_kwargs: Any) -> None:
    """`raw`: from a fixture, past `save()` and its rules.

    A form with panels takes the id of a new site away until it is stored: nobody else can know of such a site.
    """
    if instance.pk is not None:
        lock_subjects(instance.subject)
    if raw and isinstance(instance, ReferencePanel):
        instance.refuse_move()


def record_site(instance: ImputationService | ReferencePanel, **_kwargs: Any) -> None:
    record_change(instance.subject)
