"""One HTTP session per site and event loop: its TLS, its deadlines and where it may connect to."""

import functools
import ssl
from dataclasses import dataclass

import aiohttp
from aiohttp.abc import AbstractResolver

from microservices.backends.base import SiteConnection, SiteError
from microservices.backends.egress import open_public_socket

USER_AGENT = "ImputeHub/0.1"


@dataclass(frozen=True)
class Deadlines:
    """Seconds of silence that are borne where no bound on the whole makes sense.

    `answer_s`: the site reads and stores a whole upload before it answers.
    """

    upload_idle_s: float = 120
    answer_s: float = 900
    download_idle_s: float = 120


def open_site_session(connection: SiteConnection, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """The session through which a site is spoken to; call it on the running loop, and close what it gives.

    `resolver` is for who speaks to very many sites at once, and stays the caller's to close.
    It holds no credential and no cookies, heeds no proxy variables and always verifies TLS (`ca_pem` adds a CA).
    Raises `SiteError` (the platform's) for an unreadable `ca_pem`.
    """
    config = connection.api_config
    connector = aiohttp.TCPConnector(
        ssl=_build_tls(connection.ca_pem),
        limit=0,
        resolver=resolver,
        socket_factory=None if config.allow_private_network else open_public_socket,
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=build_ordinary_timeout(connection),
        cookie_jar=aiohttp.DummyCookieJar(),
        headers={"User-Agent": USER_AGENT},
        trust_env=False,
    )


def build_ordinary_timeout(connection: SiteConnection) -> aiohttp.ClientTimeout:
    """For calls that carry little: the request's own time begins when the connection stands.

    Some sites need longer for TLS than any answer may take, so the two have separate bounds (seconds).
    """
    config = connection.api_config
    return aiohttp.ClientTimeout(
        total=config.connect_timeout_s + config.request_timeout_s,
        connect=config.connect_timeout_s,
        sock_read=config.request_timeout_s,
    )


def build_stream_timeout(connection: SiteConnection, idle_s: float | None) -> aiohttp.ClientTimeout:
    """For bodies of any size: no bound on the whole, `idle_s` seconds of silence at most."""
    return aiohttp.ClientTimeout(total=None, connect=connection.api_config.connect_timeout_s, sock_read=idle_s)


@functools.lru_cache(maxsize=256)
def _build_tls(ca_pem: str | None) -> ssl.SSLContext:
    """Shared by sites: reading the certificate store takes 25 ms each time, in which the event loop stands still."""
    context = ssl.create_default_context()
    if ca_pem:
        try:
            context.load_verify_locations(cadata=ca_pem)
        except (ssl.SSLError, ValueError):
            raise SiteError(
                "The site's CA certificate (ca_pem) is not readable as PEM.",
                code="ca_pem_invalid",
                permanent=True,
                whose="platform",
                fix="A curator has to store the certificate of the site's certification authority again.",
            ) from None
    return context
