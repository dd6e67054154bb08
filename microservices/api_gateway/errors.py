"""What the gateway itself refuses."""

from microservices.kernel.errors import ServiceError


class RateLimitedError(ServiceError):
    status, code, title = 429, "rate_limited", "Too many requests"

    def __init__(self, *, limit: int, window_s: int, retry_after_s: int) -> None:
        super().__init__(
            f"Your limit is {limit} requests in {window_s} s. Try again in {retry_after_s} s.",
            headers={"Retry-After": str(retry_after_s)},
        )


class AddressTooLongError(ServiceError):
    status, code, title = 414, "address_too_long", "The address is too long"


class HeadersTooLargeError(ServiceError):
    status, code, title = 431, "headers_too_large", "The headers are too large"


class UpstreamTimeoutError(ServiceError):
    """It was asked and has not answered: whether it acted is not known."""

    status, code, title = 504, "upstream_timeout", "A part of the platform took too long"


class UpstreamBrokenError(ServiceError):
    status, code, title = 502, "upstream_broken", "A part of the platform gave a broken answer"


class TooManySocketsError(ServiceError):
    status, code, title = 503, "too_many_connections", "Too many live connections"
