"""Whether a stream of bgzip blocks ends as bgzip ends: with its empty block (SAM specification, section 4.1.2)."""

END_BLOCK = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_HEAD_BYTES = 18


class BgzipEndError(Exception):
    """The stream is cut: it is bgzip without its end block, or a VCF that is no bgzip at all."""


class BgzipWatch:
    """Sees a file go by, piece by piece; the empty piece is its end.

    A `.vcf.gz` has to be bgzip; another `.gz` may be plain gzip, which has its own end.
    """

    def __init__(self, filename: str) -> None:
        self._filename = filename
        self._head = b""
        self._tail = b""

    def see(self, piece: bytes) -> None:
        """Take the next piece; raises `BgzipEndError` at the end of a file that is cut."""
        if not piece:
            self._judge()
            return
        if len(self._head) < _HEAD_BYTES:
            self._head = (self._head + piece)[:_HEAD_BYTES]
        self._tail = (self._tail + piece[-len(END_BLOCK) :])[-len(END_BLOCK) :]

    def _judge(self) -> None:
        is_bgzip = self._head[:4] == END_BLOCK[:4] and self._head[12:14] == b"BC"
        if is_bgzip and self._tail != END_BLOCK:
            raise BgzipEndError(f"is cut: {self._filename} has no bgzip end block")
        if not is_bgzip and self._filename.endswith(".vcf.gz"):
            raise BgzipEndError(f"holds {self._filename}, which is not a bgzip file")
