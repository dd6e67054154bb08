"""From the bytes of a file to pieces of text, block by block, with every length and CRC checked.

BGZF: SAM specification, section 4.1. Memory is bounded by the block size (64 KiB) or the piece size, whatever a
file claims about itself.
"""

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from isal import isal_zlib

from microservices.preflight.issues import IssueLog
from microservices.preflight.report import quote_bytes

GZIP_MAGIC = b"\x1f\x8b"
BGZF_MAGIC = b"\x1f\x8b\x08\x04"
VCF_MAGIC = b"##fileformat=VCF"
FIXED_HEADER = 12  # bytes before a block's extra fields
TRAILER = 8  # CRC-32 and length
BLOCK_LIMIT = 65536  # inflated bytes of a block, at most
PIECE = 1 << 20  # bytes read at a time from anything but BGZF


class DamageError(Exception):
    """The compressed data cannot be read on; `offset` is the byte at which the bad block begins."""

    def __init__(self, code: str, offset: int, reason: str = "") -> None:
        super().__init__(code)
        self.code, self.offset, self.reason = code, offset, reason


def read_text(file: BinaryIO, log: IssueLog) -> Iterator[bytes]:
    """Pieces of the inflated text. Damage is logged and ends the text; OSError is the caller's own disk."""
    head = file.read(FIXED_HEADER + 6)
    file.seek(0)
    if not head:
        log.add("file_empty")
        return
    try:
        yield from expect_vcf(choose_reader(file, head, log), log)
    except DamageError as damage:
        log.add(damage.code, offset=damage.offset, reason=damage.reason)


def choose_reader(file: BinaryIO, head: bytes, log: IssueLog) -> Iterator[bytes]:
    if head.startswith(BGZF_MAGIC) and (len(head) < FIXED_HEADER + 6 or head[12:14] == b"BC"):
        return read_bgzf(file, log)
    if head.startswith(GZIP_MAGIC):
        if len(head) == FIXED_HEADER + 6:
            log.add("plain_gzip")
        return read_gzip(file)
    if head.startswith(VCF_MAGIC):
        log.add("not_compressed")
    return iter(lambda: file.read(PIECE), b"")


def expect_vcf(pieces: Iterator[bytes], log: IssueLog) -> Iterator[bytes]:
    """The pieces again, or none when the text does not begin as a VCF does."""
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= len(VCF_MAGIC):
            break
    if start.startswith(VCF_MAGIC):
        yield start
        yield from pieces
    elif start:
        log.add("not_vcf", start=quote_bytes(start[:24]))
    elif not log.has("eof_block_missing"):
        log.add("file_empty")


def read_bgzf(file: BinaryIO, log: IssueLog) -> Iterator[bytes]:
    text: bytes | None = None
    while (block := read_block(file)) is not None:
        text = block
        if text:
            yield text
    if text:
        log.add("eof_block_missing")


def read_block(file: BinaryIO) -> bytes | None:
    """The inflated text of the next block (empty for the end-of-file block), None at the end of the file."""
    offset = file.tell()
    head = file.read(FIXED_HEADER)
    if not head:
        return None
    if not head.startswith(BGZF_MAGIC[: len(head)]):
        raise DamageError("block_damaged", offset, "no BGZF block begins there")
    if len(head) < FIXED_HEADER:
        raise DamageError("truncated", offset)
    extra_length = int.from_bytes(head[10:12], "little")
    extra = file.read(extra_length)
    if len(extra) < extra_length:
        raise DamageError("truncated", offset)
    rest_length = find_block_size(extra) - FIXED_HEADER - extra_length
    if rest_length <= TRAILER:
        raise DamageError("block_damaged", offset, "its length is missing or impossible")
    rest = file.read(rest_length)
    if len(rest) < rest_length:
        raise DamageError("truncated", offset)
    return inflate_block(rest, offset)


def find_block_size(extra: bytes) -> int:
    """The size in bytes of the whole block from subfield BC, 0 when there is none."""
    at = 0
    while at + 4 <= len(extra):
        length = int.from_bytes(extra[at + 2 : at + 4], "little")
        if extra[at : at + 2] == b"BC" and length == 2 and at + 6 <= len(extra):
            return int.from_bytes(extra[at + 4 : at + 6], "little") + 1
        at += 4 + length
    return 0


def inflate_block(rest: bytes, offset: int) -> bytes:
    crc, length = struct.unpack("<II", rest[-TRAILER:])
    inflater = isal_zlib.decompressobj(wbits=-15)
    try:
        text = inflater.decompress(memoryview(rest)[:-TRAILER], BLOCK_LIMIT + 1)
    except isal_zlib.error as error:  # type: ignore[misc]  # its stub calls the class an instance
        raise DamageError("block_damaged", offset, "it cannot be inflated") from error
    if len(text) != length or not inflater.eof:
        raise DamageError("block_damaged", offset, "its length is not what it says")
    if isal_zlib.crc32(text) != crc:
        raise DamageError("block_damaged", offset, "its checksum (CRC-32) is wrong")
    return text


def read_gzip(file: BinaryIO) -> Iterator[bytes]:
    """Plain gzip, members one after the other, in pieces of at most PIECE bytes (zlib checks each CRC)."""
    inflater, data, inside, pending = zlib.decompressobj(31), b"", False, False
    while data or pending or (data := file.read(PIECE)):
        if not inside and not (data := data.lstrip(b"\0")):
            continue  # padding behind a member
        try:
            text = inflater.decompress(data, PIECE)
        except zlib.error as error:
            raise DamageError("block_damaged", file.tell() - len(data), "it cannot be inflated") from error
        if text:
            yield text
        inside, pending, data = True, len(text) == PIECE, inflater.unconsumed_tail
        if inflater.eof:
            data, inflater, inside, pending = inflater.unused_data, zlib.decompressobj(31), False, False
    if inside:
        raise DamageError("truncated", file.tell())
