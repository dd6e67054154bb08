"""Calls to one Cloudgene server that carry little: addresses, token, deadlines, and what came back."""

from typing import Literal

import aiohttp
from yarl import URL

from microservices.backends.answers import Answer
from microservices.backends.base import CredentialRefusedError, SiteConnection
from microservices.backends.failures import translate_failures
from microservices.backends.michigan.answers import read_answer
from microservices.backends.responses import MAX_ANSWER_BYTES, read_bounded
from microservices.backends.session import Deadlines


class CloudgeneClient:
    """One account at one server. The token goes to `base_url` only: redirects are never followed here."""

    def __init__(
        self, connection: SiteConnection, session: aiohttp.ClientSession, deadlines: Deadlines | None = None
    ) -> None:
        self.connection = connection
        self.session = session
        self.deadlines = deadlines or Deadlines()
        self._base = connection.base_url.rstrip("/")

    def address(self, path: str) -> URL:
        """The full address of a path that is already percent-encoded."""
        return URL(self._base + path, encoded=True)

    def authorise(self) -> dict[str, str]:
        """The header with the token; nothing without one. Raises where the token cannot be one."""
        token = self.connection.credential
        if token is None:
            return {}
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise CredentialRefusedError(
                "The stored token is not a token of this site: it holds spaces, line breaks or foreign characters.",
                code="credential_malformed",
                permanent=True,
                whose="input",
                fix="Copy the API token from the site's profile page again and store it.",
            )
        return {"X-Auth-Token": token}

    async def call(
        self,
        path: str,
        *,
        method: Literal["GET", "POST"] = "GET",
        anonymous: bool = False,
        form: dict[str, str] | None = None,
        limit: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """One call; any status is an answer of `limit` bytes at most. Raises `SiteError` where none came."""
        headers = {} if anonymous else self.authorise()
        with translate_failures():
            async with self.session.request(
                method, self.address(path), headers=headers, data=form, allow_redirects=False
            ) as response:
                return self.understand(response, await read_bounded(response, limit))

    def understand(self, response: aiohttp.ClientResponse, body: bytes) -> Answer:
        """An answer's status and document, with the token taken out should the site repeat it."""
        token = self.connection.credential
        if token:
            body = body.replace(token.encode(), b"[token]")
        return read_answer(response.status, response.headers, body)
