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
from microservices.kernel.outbox import Relay, relaying
from microservices.user_service.logic.clients import sign_for_ourselves
from microservices.user_service.logic.revocations import RevocationHerald, heralding
from microservices.user_service.logic.signing_keys import KeyRing, OwnTokenVerifier
from microservices.user_service.logic.throttle import LoginThrottle
from microservices.user_service.routes import (
    account,
    administration,
    authentication,
    people,
    second_factor,
    site_credentials,
)
from microservices.user_service.routes.dependencies import Authority
from microservices.user_service.settings import Settings

_NAME = "user_service"
_ROUTERS = (
    authentication.router,
    account.router,
    second_factor.router,
    site_credentials.router,
    administration.router,
    people.router,
)

log = get_logger(__name__)


def create() -> FastAPI:
    """The application, with its settings from the environment."""
    return build(Settings())


def build(settings: Settings) -> FastAPI:
    cipher = FieldCipher.from_setting(settings.encryption_keys.get_secret_value())
    redis_url = settings.redis_url.get_secret_value()
    throttle = LoginThrottle(redis_url)
    app = create_app(
        _NAME,
        settings,
        [*_ROUTERS],
        description="People, organisations and log-ins. No mail server is set: e-mail verification is off.",
        checks=[ReadinessCheck("redis", throttle.ping, required=False)],
        lifespan=_run_beside,
    )
    app.state.keyring = keyring = KeyRing(app.state.database, cipher)
    app.state.verifier = OwnTokenVerifier(keyring)
    herald = RevocationHerald(app.state.database, redis_url, app.state.verifier.revoked)
    app.state.authority = Authority(settings, app.state.database, cipher, keyring, throttle, herald)
    app.state.readiness_checks.append(ReadinessCheck("signing_keys", keyring.list_public))
    return app


@asynccontextmanager
async def _run_beside(app: FastAPI) -> AsyncIterator[None]:
    await run_in_threadpool(_make_first_key, app.state.keyring)
    authority: Authority = app.state.authority
    with heralding(authority.herald), relaying(authority.database, _open_relay(authority)):
        yield


def _make_first_key(keyring: KeyRing) -> None:
    """At the first start the platform gets its key; a database that is away then is waited for, not died of."""
    try:
        keyring.list_public()
    except DependencyUnavailableError as error:
        log.warning("started_without_keys", error=str(error))


def _open_relay(authority: Authority) -> Relay:
    """The authority gives itself the token that its events travel with."""
    settings = authority.settings
    subscribers = {"job_processor": settings.job_processor_url, "notification": settings.notification_url}
    return Relay(_NAME, authority.database, subscribers, lambda: sign_for_ourselves(authority.keyring))
