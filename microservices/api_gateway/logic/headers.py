"""Headers of a message that passes through: what belongs to one connection stays behind, the rest is kept as it is."""

from collections.abc import Iterable

Header = tuple[bytes, bytes]

# RFC 9110, section 7.6.1, and what older software sends in the same spirit.
_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer transfer-encoding "
    b"upgrade".split()
)
# Said by the gateway alone. `Expect` was answered by the gateway's own server.
_OURS_IN_REQUESTS = _HOP_BY_HOP | frozenset(
    b"forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-prefix "
    b"x-forwarded-server x-real-ip x-request-id expect".split()
)
_OURS_IN_ANSWERS = _HOP_BY_HOP | frozenset(b"date server x-request-id ratelimit ratelimit-policy".split())


def forward_headers(headers: Iterable[Header], *, address: str, scheme: str, request_id: str) -> list[tuple[str, str]]:
    """What the service gets. `X-Forwarded-*` are made here: whatever the client wrote in them is not believed."""
    kept: list[tuple[str, str]] = []
    named = _read_connection(headers)
    for name, value in headers:
        # Servers that write headers as variables read `x_forwarded_for` as `x-forwarded-for`.
        if name in _OURS_IN_REQUESTS or name in named or b"_" in name:
            continue
        text = _to_text(value)
        kept.append((name.decode("latin-1"), text))
        if name == b"host":
            kept.append(("X-Forwarded-Host", text))
    kept += [("X-Forwarded-For", address), ("X-Forwarded-Proto", scheme), ("X-Request-ID", request_id)]
    return kept


def answer_headers(headers: Iterable[Header], *, bodiless: bool) -> list[Header]:
    """What the client gets: several `Set-Cookie` stay several. `bodiless` (204, 304): no length of a body either."""
    lowered = [(name.lower(), value) for name, value in headers]
    named = _read_connection(lowered)
    return [
        (name, value)
        for name, value in lowered
        if name not in _OURS_IN_ANSWERS and name not in named and not (bodiless and name == b"content-length")
    ]


def _read_connection(headers: Iterable[Header]) -> frozenset[bytes]:
    """The headers that `Connection` names; never those that say how long a message is and for whom."""
    named: frozenset[bytes] = frozenset()
    for name, value in headers:
        if name == b"connection" and value not in (b"keep-alive", b"close"):
            named |= {token.strip().lower() for token in value.split(b",")} - {b"host", b"content-length"}
    return named


def _to_text(value: bytes) -> str:
    """As the client library will write it again: UTF-8 survives byte for byte."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")
