"""Write archives with traditional zip encryption, as sites do by default (PKWARE APPNOTE, section 6.1).

The libraries at hand only read it.
"""

import struct
import zlib
from pathlib import Path


def _step_crc(crc: int, byte: int) -> int:
    return zlib.crc32(bytes([byte]), crc ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


class _Cipher:
    def __init__(self, password: bytes) -> None:
        self.keys = [0x12345678, 0x23456789, 0x34567890]
        for byte in password:
            self._update(byte)

    def _update(self, byte: int) -> None:
        self.keys[0] = _step_crc(self.keys[0], byte)
        self.keys[1] = ((self.keys[1] + (self.keys[0] & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        self.keys[2] = _step_crc(self.keys[2], self.keys[1] >> 24)

    def encrypt(self, data: bytes) -> bytes:
        out = bytearray()
        for byte in data:
            mask = (self.keys[2] | 2) & 0xFFFF
            out.append(byte ^ ((mask * (mask ^ 1)) >> 8 & 0xFF))
            self._update(byte)
        return bytes(out)


def encrypt(password: str, data: bytes) -> bytes:
    return _Cipher(password.encode()).encrypt(data)


def write_zipcrypto(path: Path, members: dict[str, bytes], password: str, *, deflate: bool = True) -> Path:
    body, directory = b"", b""
    for name, content in members.items():
        crc = zlib.crc32(content)
        method, packed = (8, zlib.compress(content, 6, wbits=-15)) if deflate else (0, content)
        secret = encrypt(password, bytes(11) + bytes([crc >> 24]) + packed)
        fields = struct.pack("<HHHHHIIIHH", 20, 1, method, 0, 33, crc, len(secret), len(content), len(name), 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + fields + struct.pack("<HHHII", 0, 0, 0, 0, len(body))
        directory += name.encode()
        body += b"PK\x03\x04" + fields + name.encode() + secret
    count = len(members)
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, count, count, len(directory), len(body), 0)
    path.write_bytes(body + directory + end)
    return path
