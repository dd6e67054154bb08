"""The HTTP side of notification."""

from fastapi import FastAPI

from microservices.kernel.app import create_app
from microservices.kernel.inbox import events_router
from microservices.notification import routes
from microservices.notification.handlers import HANDLERS
from microservices.notification.settings import Settings


def create() -> FastAPI:
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    return create_app(
        "notification",
        settings,
        [routes.router, events_router(HANDLERS)],
        description="What people are told about their files and jobs.",
    )
