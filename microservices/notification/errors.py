"""What notification refuses, over HTTP and on its WebSocket."""

from microservices.kernel.errors import NotFoundError


class NotificationNotFoundError(NotFoundError):
    code, title = "notification_not_found", "There is no such notification"


class StreamEndError(Exception):
    """A live connection is closed by us: `code` for the program (4000–4999 are ours, RFC 6455), `reason` for people."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
