"""Calls to one WES server that carry little: addresses, token, deadlines, and what came back."""

from typing import Literal
from urllib.parse import quote

import aiohttp
from yarl import URL

from microservices.backends.answers import Answer
from microservices.backends.base import CredentialRefusedError, SiteConnection
from microservices.backends.failures import translate_failures
from microservices.backends.ga4gh_wes.answers import read_answer
from microservices.backends.ga4gh_wes.tokens import forget_token, get_token
from microservices.backends.responses import MAX_ANSWER_BYTES, read_bounded
from microservices.backends.session import Deadlines


class WesClient:
    """One account at one server. `base_url` is the whole address of the API: nothing is guessed or appended to it.

    The token goes to the origin of `base_url` only: redirects are never followed here.
    """

    def __init__(
        self, connection: SiteConnection, session: aiohttp.ClientSession, deadlines: Deadlines | None = None
    ) -> None:
        self.connection = connection
        self.session = session
        self.deadlines = deadlines or Deadlines()
        self._base = connection.base_url.rstrip("/")
        self._token = connection.credential

    def address(self, path: str) -> URL:
        """The full address of a path that is already percent-encoded."""
        return URL(self._base + path, encoded=True)

    def address_run(self, run_id: str, suffix: str = "") -> str:
        return f"/runs/{quote(run_id, safe='')}{suffix}"

    def is_own(self, url: URL) -> bool:
        """Whether an address is the server's: scheme, host and port."""
        return url.is_absolute() and url.origin() == self.address("").origin()

    async def authorise(self) -> dict[str, str]:
        """The header with the token; nothing without one. Raises where the credential cannot be one."""
        config = self.connection.api_config
        token = self.connection.credential
        if token is None:
            return {}
        if config.token_url:
            token = await get_token(self.session, self.connection, config.token_url)
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise CredentialRefusedError(
                "The stored token is not a token: it holds spaces, line breaks or foreign characters.",
                code="credential_malformed",
                permanent=True,
                whose="input",
                fix="Copy the site's token again and store it.",
            )
        self._token = token
        return {"Authorization": f"Bearer {token}"}

    async def call(
        self,
        path: str,
        *,
        method: Literal["GET", "POST", "DELETE"] = "GET",
        query: str = "",
        anonymous: bool = False,
        limit: int = MAX_ANSWER_BYTES,
    ) -> Answer:
        """One call; any status is an answer of `limit` bytes at most. Raises `SiteError` where none came."""
        headers = {} if anonymous else await self.authorise()
        url = self.address(path + query)
        with translate_failures():
            async with self.session.request(method, url, headers=headers, allow_redirects=False) as response:
                return self.understand(response, await read_bounded(response, limit))

    def understand(self, response: aiohttp.ClientResponse, body: bytes) -> Answer:
        """An answer's status and document, with secrets taken out should the site repeat them."""
        token_url = self.connection.api_config.token_url
        if response.status == 401 and token_url:
            forget_token(self.session, self.connection, token_url)
        for secret in (self._token, self.connection.credential):
            if secret:
                body = body.replace(secret.encode(), b"[token]")
        return read_answer(response.status, response.headers, body)
