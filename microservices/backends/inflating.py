"""Gzip as it passes by: its text in pieces of bounded size, every checksum in it checked."""

from collections.abc import Iterator
from typing import Any

from isal import isal_zlib

_PIECE = 1 << 20
_GZIP = 31  # window bits: a gzip member, with its CRC checked


class DamagedGzipError(Exception):
    """It is no gzip, is cut, or a checksum in it is wrong."""


class Inflater:
    """Members one after the other, as bgzip writes them."""

    def __init__(self) -> None:
        self._member: Any = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The text in the next bytes of the file, at most 1 MiB of it at a time; to be read to its end."""
        pending = False
        while data or pending:
            if self._member is None:
                self._member = isal_zlib.decompressobj(_GZIP)
            try:
                text = self._member.decompress(data, _PIECE)
            except isal_zlib.error as error:  # type: ignore[misc]  # its stub has an instance
                raise DamagedGzipError(str(error)) from None
            yield text
            pending, data = len(text) == _PIECE, self._member.unconsumed_tail
            if self._member.eof:
                data, pending, self._member = self._member.unused_data, False, None

    def finish(self) -> None:
        """The file has ended."""
        if self._member is not None:
            raise DamagedGzipError("it is cut")
