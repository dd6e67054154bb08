"""Our own services' tokens (OAuth 2 client_credentials), and calls from one service to another with them."""

import threading
import time
from collections.abc import Mapping
from typing import Any

import httpx
from pydantic import SecretStr

from microservices.kernel.connections import Answer, Connections
from microservices.kernel.errors import DependencyUnavailableError, NotFoundError, UpstreamRefusedError
from microservices.kernel.requests import request_id_var


class ServiceTokens:
    """The token of one client, renewed at half its life, so that the authorisation server may be away for long."""

    def __init__(self, authority_url: str, client_id: str, client_secret: SecretStr) -> None:
        self._authority_url = authority_url
        self._client_id = client_id
        self._client_secret = client_secret
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = self._ends_at = 0.0

    def get(self) -> str:
        """A token that is valid now. Raises `DependencyUnavailableError` when there is none to be had."""
        now = time.monotonic()
        if now >= self._renew_at:
            with self._lock:
                if now >= self._renew_at:
                    self._renew(now)
        return self._token

    def _renew(self, now: float) -> None:
        form = {
            "grant_type": "client_credentials",
            "client_id": self._client_id,
            "client_secret": self._client_secret.get_secret_value(),
        }
        try:
            answer = httpx.post(f"{self._authority_url}/api/v1/auth/token", data=form, timeout=5, trust_env=False)
            answer.raise_for_status()
            grant = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            if now < self._ends_at:
                self._renew_at = now + 5
                return
            raise DependencyUnavailableError("The platform's log-in service does not answer.") from error
        self._token = grant["access_token"]
        self._ends_at = now + grant["expires_in"] - 30
        self._renew_at = now + grant["expires_in"] / 2


class PeerClient:
    """Synchronous calls to one of our other services, as ourselves or (with `token`) as the caller."""

    def __init__(self, name: str, base_url: str, tokens: ServiceTokens, *, timeout_s: float = 10) -> None:
        self.name = name
        self.base_url = base_url
        self.tokens = tokens
        self._connections = Connections(base_url, timeout_s=timeout_s)

    def close(self) -> None:
        self._connections.close()

    def headers(self, token: str | None = None) -> dict[str, str]:
        return {
            "Authorization": f"Bearer {token or self.tokens.get()}",
            "X-Request-ID": request_id_var.get(),
        }

    def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        """The answer's JSON (None for 204).

        Raises `NotFoundError` for 404, `DependencyUnavailableError` when the peer is away, `UpstreamRefusedError` else.
        """
        headers = self.headers(token)
        try:
            answer = self._connections.ask(method, path, headers, json_body=json, params=params)
        except DependencyUnavailableError as error:
            raise DependencyUnavailableError(f"{self.name} does not answer. Try again in a few seconds.") from error
        if answer.is_success:
            return answer.json() if answer.body else None
        if answer.status == 404:
            raise NotFoundError(_detail_of(answer) or f"{self.name} does not know {path}.")
        if answer.status in (429, 502, 503, 504):
            raise DependencyUnavailableError(f"{self.name} cannot answer at the moment. Try again.")
        raise UpstreamRefusedError(f"{self.name} refused {method} {path} ({answer.status}): {_detail_of(answer)}")


def _detail_of(answer: Answer) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("detail", "")) if isinstance(body, dict) else ""
