"""Who reads on a live connection: told by its latest token."""

from microservices.kernel.auth import Principal
from microservices.notification.logic.live_log import Person


class Reader:
    """`session_id`: the log-in that ends the connection when it is ended."""

    def __init__(self, principal: Principal) -> None:
        self.person: Person = principal.person
        self.take(principal)

    def take(self, principal: Principal) -> None:
        """Go on with another token of the same person."""
        self.session_id = principal.session_id
        self.roles = principal.roles

    def may_see(self, audience: str | None) -> bool:
        """`audience`: the role whose people are told, with the administrators; None where that is no question."""
        return audience is None or audience in self.roles or "admin" in self.roles
