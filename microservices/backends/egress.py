"""Where the platform may connect to on behalf of a curator's or a site's address.

A site's address, and every address that a site redirects to, is foreign input. It is judged at the socket, on the
address that the name resolved to, so a name that points inside (now, or only at the second look-up) gains nothing.
"""

import ipaddress
import socket
from typing import Any

from yarl import URL

AddressInfo = tuple[int | socket.AddressFamily, int | socket.SocketKind, int, str, Any]

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# The whole of what IANA gives out as global unicast. Outside of it are more ways to write an IPv4 address (::/96,
# ::ffff:0:0:0/96, 64:ff9b:1::/48) and the site-local fec0::/10, which the standard library calls global.
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


class PrivateAddressError(OSError):
    """A connection to an address that is not on the public internet was refused.

    Its text is always the same: the connector joins differing texts of several addresses into an anonymous error.
    """

    def __init__(self) -> None:
        super().__init__("the address is private, loopback or link-local")


def is_public_address(address: str) -> bool:
    """Whether an IP address is on the public internet; IPv4 wrapped in IPv6 is judged as IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        parsed = _unwrap_ipv4(parsed)
    if isinstance(parsed, ipaddress.IPv6Address) and parsed not in _GLOBAL_UNICAST:
        return False
    return parsed.is_global and not parsed.is_multicast


def _unwrap_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def read_address(text: str, base: URL | None = None) -> URL | None:
    """A foreign address (relative to `base`), its escapes untouched; None for one that nothing can be asked of."""
    try:
        url = URL(text, encoded=True)
        url = base.join(url) if base is not None else url
        _ = url.host, url.port  # are looked at only now
    except ValueError:
        return None
    return url


def open_public_socket(address_info: AddressInfo) -> socket.socket:
    """A socket for one resolved address; raises `PrivateAddressError` for one that is not public."""
    family, kind, protocol, _, address = address_info
    if not is_public_address(address[0]):
        raise PrivateAddressError
    return socket.socket(family=family, type=kind, proto=protocol)
