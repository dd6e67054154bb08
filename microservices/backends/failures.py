"""What goes wrong between us and a site before there is an answer, in the platform's words.

Raised without their cause: the library's errors carry full addresses, and links to results are secrets.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

import aiohttp

from microservices.backends.base import SiteError, SiteUnavailableError
from microservices.backends.egress import PrivateAddressError

Sent = Literal["nothing", "partial", "all"]


def _say_nothing_sent() -> Sent:
    return "nothing"


@contextmanager
def translate_failures(sent: Callable[[], Sent] = _say_nothing_sent) -> Iterator[None]:
    """Turn the transport's errors into `SiteError`; `sent` tells what a submission had handed over by then."""
    try:
        yield
    except (aiohttp.ClientError, TimeoutError, OSError, UnicodeError) as failure:
        error = explain_failure(failure)
        error.sent = sent()
        raise error from None


def explain_failure(failure: Exception) -> SiteError:
    """The one `SiteError` for a transport's error."""
    if isinstance(failure, aiohttp.ClientConnectorError) and isinstance(failure.os_error, PrivateAddressError):
        return _refuse_private_address()
    if isinstance(failure, aiohttp.InvalidURL):
        return SiteError(
            "The site's address is not a usable URL.",
            code="base_url_invalid",
            permanent=True,
            whose="platform",
            fix="A curator has to correct the site's base_url.",
        )
    code, words = _name_failure(failure)
    return SiteUnavailableError(words, code=code, fix="Nothing to do: the platform tries again.")


def refuse_unoffered(message: str, fix: str) -> SiteError:
    """For an adapter: the site's protocol has no such request, or not for the account that is held."""
    return SiteError(message, code="not_offered", permanent=True, fix=fix)


def _refuse_private_address() -> SiteError:
    return SiteError(
        "The site's address leads to a private, loopback or link-local network, which is not allowed.",
        code="address_private",
        permanent=True,
        whose="platform",
        fix="A curator may set api_config.allow_private_network if the site really is on an internal network.",
    )


def _name_failure(failure: Exception) -> tuple[str, str]:
    match failure:
        case aiohttp.ClientConnectorCertificateError():
            return "tls_untrusted", "The site's TLS certificate could not be verified."
        case aiohttp.ClientSSLError():
            return "tls_failed", "No TLS connection could be made to the site."
        case aiohttp.ClientConnectorDNSError() | UnicodeError():  # the latter: it cannot be a name at all
            return "name_unknown", "The site's name could not be resolved."
        case aiohttp.ClientConnectorError():
            # The event loop's own text repeats the address and leaves out why.
            number = failure.os_error.errno
            reason = os.strerror(number) if number and number > 0 else "connection failed"
            return "connect_failed", f"The site could not be reached: {reason}."
        case aiohttp.ConnectionTimeoutError():
            return "connect_timeout", "The site did not accept a connection in time."
        case TimeoutError():
            return "timeout", "The site did not answer in time."
        case _:
            return "connection_lost", "The connection to the site broke off before its answer was complete."
