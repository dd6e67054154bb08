"""The authorisation server, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from microservices.kernel.app import create_app
from microservices.kernel.crypto import FieldCipher
from microservices.kernel.errors import DependencyUnavailableError
from microservices.kernel.health import ReadinessCheck
from microservices.kernel.logs import get_logger
from microservices.user_service.logic.signing_keys import KeyRing, OwnTokenVerifier
from microservices.user_service.logic.throttle import LoginThrottle
from microservices.user_service.routes import account, authentication, site_credentials
from microservices.user_service.routes.dependencies import Authority
from microservices.user_service.settings import Settings

log = get_logger(__name__)


def create() -> FastAPI:
    """The application, with its settings from the environment."""
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    cipher = FieldCipher.from_setting(settings.encryption_keys.get_secret_value())
    throttle = LoginThrottle(settings.redis_url.get_secret_value())
    app = create_app(
        "user_service",
        settings,
        [authentication.router, account.router, site_credentials.router],
        description="People, organisations and log-ins. No mail server is set: e-mail verification is off.",
        checks=[ReadinessCheck("redis", throttle.ping, required=False)],
        lifespan=make_first_key,
    )
    app.state.keyring = keyring = KeyRing(app.state.database, cipher)
    app.state.verifier = OwnTokenVerifier(keyring)
    app.state.authority = Authority(settings, app.state.database, cipher, keyring, throttle)
    app.state.readiness_checks.append(ReadinessCheck("signing_keys", keyring.list_public))
    return app


@asynccontextmanager
async def make_first_key(app: FastAPI) -> AsyncIterator[None]:
    """At the first start the platform gets its key; a database that is away then is waited for, not died of."""
    try:
        await run_in_threadpool(app.state.keyring.list_public)
    except DependencyUnavailableError as error:
        log.warning("started_without_keys", error=str(error))
    yield
