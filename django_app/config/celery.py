"""Django's Celery worker: it delivers the outbox. Messages are hints that carry nothing; PostgreSQL is the truth."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init
from django.conf import settings

from django_app.config.environment import IncompleteEnvironmentError
from microservices.kernel.logs import configure_logs

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_app.config.settings")

app = Celery("django", include=["django_app.outbox.tasks"])
app.config_from_object("django.conf:settings", namespace="CELERY")


@setup_logging.connect
def route_logs(**_kwargs: Any) -> None:
    configure_logs("django_worker", settings.ENVIRONMENT.log_level)


@worker_init.connect
def require_settings(**_kwargs: Any) -> None:
    try:
        settings.ENVIRONMENT.require_complete()
    except IncompleteEnvironmentError as error:
        raise SystemExit(str(error)) from error  # anything else is only logged by Celery
