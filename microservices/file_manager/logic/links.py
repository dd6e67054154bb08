"""Download links: good for one file, for GET and HEAD, until a moment; made and verified with keys that rotate.

`LocalStore` cannot sign, and a link must be refused once its file is deleted: so they are ours, whatever the storage.
"""

import base64
import binascii
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode
from uuid import UUID

from microservices.file_manager.errors import LinkExpiredError, LinkInvalidError
from microservices.file_manager.schemas import DownloadLink

_METHODS = "GET,HEAD"
_SHORTEST_KEY = 16  # bytes
_INVALID = "The link is incomplete or was changed. Ask for a new one."


class LinkSigner:
    """`keys`: `k2:<base64>,k1:<base64>`; the first signs, all verify."""

    def __init__(self, keys: str, public_url: str) -> None:
        self._keys = _read_keys(keys)
        self._key_id = next(iter(self._keys))
        self._public_url = public_url.rstrip("/")

    def sign(self, file_id: UUID, lifetime_s: int, link_id: UUID | None = None) -> DownloadLink:
        """With `link_id` the link can be withdrawn: whoever verifies it is told which one it is."""
        expires = int(time.time()) + lifetime_s
        named = {"link": str(link_id)} if link_id is not None else {}
        signature = self._seal(self._key_id, file_id, expires, named.get("link", ""))
        query = {"key": self._key_id, "expires": str(expires), **named, "signature": signature}
        url = f"{self._public_url}/api/v1/files/{file_id}/content?{urlencode(query)}"
        return DownloadLink(url=url, expires_at=datetime.fromtimestamp(expires, UTC))

    def verify(self, file_id: UUID, query: Mapping[str, str]) -> UUID | None:
        """The id of a link that can be withdrawn, which is for the caller to look at; None for any other good one.

        Raises `LinkInvalidError`, or `LinkExpiredError` for one that was good once.
        """
        key_id, given, link = query.get("key", ""), query.get("signature", ""), query.get("link", "")
        try:
            expires = int(query.get("expires", "")[:12])
        except ValueError as error:
            raise LinkInvalidError(_INVALID) from error
        # The text of `expires` must be the number's own: no second spelling of a good link.
        if key_id not in self._keys or str(expires) != query["expires"]:
            raise LinkInvalidError(_INVALID)
        if not hmac.compare_digest(self._seal(key_id, file_id, expires, link).encode(), given.encode()):
            raise LinkInvalidError(_INVALID)
        if expires <= time.time():
            raise LinkExpiredError("The link is no longer good. Ask for a new one.")
        return UUID(link) if link else None

    def _seal(self, key_id: str, file_id: UUID, expires: int, link: str) -> str:
        parts = [_METHODS, str(file_id), str(expires), *filter(None, [link])]
        message = "\n".join(parts).encode()
        return base64.urlsafe_b64encode(hmac.digest(self._keys[key_id], message, "sha256")).rstrip(b"=").decode()


def _read_keys(setting: str) -> dict[str, bytes]:
    keys: dict[str, bytes] = {}
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        key_id, _, encoded = entry.partition(":")
        try:
            secret = base64.b64decode(encoded.replace("-", "+").replace("_", "/"), validate=True)
        except binascii.Error as error:
            raise ValueError(f"The link signing key '{key_id}' is not base64.") from error
        if not key_id or len(secret) < _SHORTEST_KEY:
            raise ValueError(f"A link signing key is <id>:<base64 of at least {_SHORTEST_KEY} bytes>.")
        keys[key_id] = secret
    if not keys:
        raise ValueError("At least one link signing key is needed.")
    return keys
