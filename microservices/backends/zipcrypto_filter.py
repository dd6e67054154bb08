"""The program that decrypts for `zipcrypto`: pieces of ciphertext on the standard input, each answered in plain text.

It stands alone, so that no more is loaded than the compiler. Of each piece it is told the three keys, and tells those
that the next one needs.
"""

import struct
import sys
from typing import Any

import numba
import numpy as np

_FRAME = struct.Struct("<4I")  # as `zipcrypto.FRAME`
_POLYNOMIAL = 0xEDB88320  # CRC-32
_FACTOR = np.uint32(134775813)
_ONE, _TWO, _EIGHT, _LAST, _BYTE = (np.uint32(number) for number in (1, 2, 8, 24, 255))


def make_table() -> Any:
    table = np.arange(256, dtype=np.uint32)
    for _bit in range(8):
        table = (table >> _ONE) ^ np.where(table & _ONE, np.uint32(_POLYNOMIAL), np.uint32(0))
    return table


@numba.njit("void(uint32[::1], uint8[::1], uint32[::1])")
def decrypt(keys: Any, data: Any, table: Any) -> None:
    """In place: the data becomes plain text, and the keys those after it. All arithmetic is modulo 2³²."""
    key0, key1, key2 = keys
    for index in range(data.size):
        mask = key2 | _TWO
        data[index] ^= np.uint8((mask * (mask ^ _ONE)) >> _EIGHT)
        key0 = (key0 >> _EIGHT) ^ table[(key0 ^ data[index]) & _BYTE]
        key1 = np.uint32((key1 + (key0 & _BYTE)) * _FACTOR + _ONE)
        key2 = (key2 >> _EIGHT) ^ table[(key2 ^ (key1 >> _LAST)) & _BYTE]
    keys[0], keys[1], keys[2] = key0, key1, key2


def main() -> None:
    source, sink, table = sys.stdin.buffer, sys.stdout.buffer, make_table()
    while head := source.read(_FRAME.size):
        *numbers, size = _FRAME.unpack(head)
        keys, data = np.array(numbers, np.uint32), bytearray(source.read(size))
        decrypt(keys, np.frombuffer(data, np.uint8), table)
        sink.write(_FRAME.pack(*keys, size))
        sink.write(data)
        sink.flush()


if __name__ == "__main__":
    main()
