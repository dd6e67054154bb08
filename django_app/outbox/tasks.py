"""The relay in Django's worker: kicked after each commit, and every few seconds by the beat."""

from functools import cache

from django.conf import settings

from django_app.config.celery import app
from django_app.outbox.recording import DELIVER_OUTBOX
from django_app.outbox.relay import Relay, prune_delivered
from microservices.kernel.service_tokens import ServiceTokens


@cache
def get_relay() -> Relay:
    """One per process: its connection and its token outlive the tasks."""
    environment = settings.ENVIRONMENT
    tokens = ServiceTokens(environment.authority_url, "django", environment.client_secret)
    return Relay(settings.OUTBOX_SUBSCRIBERS, tokens.get)


@app.task(name=DELIVER_OUTBOX)
def deliver_outbox() -> None:
    get_relay().deliver_due()


@app.task(name="outbox.prune")
def prune_outbox() -> None:
    prune_delivered()
