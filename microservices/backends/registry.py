"""Which adapter speaks which protocol: one line each."""

from collections.abc import Callable

import aiohttp
from yarl import URL

from microservices.backends.base import Backend, SiteConnection, SiteError
from microservices.backends.ga4gh_wes import WesBackend
from microservices.backends.michigan import MichiganBackend

ADAPTERS: dict[str, Callable[[SiteConnection, aiohttp.ClientSession], Backend]] = {
    "ga4gh": WesBackend,
    "michigan": MichiganBackend,
}


def open_backend(connection: SiteConnection, session: aiohttp.ClientSession) -> Backend:
    """The adapter for a site, on a session of `open_site_session`.

    Raises `SiteError` (permanent, the platform's) for a protocol that nobody speaks, or an address that is no http(s)
    URL or would carry a token over the public internet in the clear.
    """
    adapter = ADAPTERS.get(connection.api_type)
    if adapter is None:
        raise _refuse(
            f"The platform has no adapter for api_type '{connection.api_type}'.",
            "api_type_unknown",
            f"A curator has to choose one of: {', '.join(sorted(ADAPTERS))}.",
        )
    _check_address(connection)
    return adapter(connection, session)


def _check_address(connection: SiteConnection) -> None:
    try:
        url = URL(connection.base_url)
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host or url.query_string or url.fragment or url.user:
        raise _refuse(
            "The site's base_url is not a plain http(s) address.",
            "base_url_invalid",
            "A curator has to correct it; it looks like https://imputation.example.org.",
        )
    if url.scheme == "http" and not connection.api_config.allow_private_network:
        raise _refuse(
            "The site's base_url is plain http: tokens and genotypes would travel unencrypted.",
            "base_url_insecure",
            "A curator has to use the site's https address.",
        )


def _refuse(message: str, code: str, fix: str) -> SiteError:
    return SiteError(message, code=code, permanent=True, whose="platform", fix=fix)
