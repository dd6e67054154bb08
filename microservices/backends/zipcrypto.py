"""Traditional zip encryption at a useful speed (PKWARE APPNOTE, section 6.1).

Each byte's key depends on the byte before, so that in Python it takes 1.7 MB/s of a whole worker. Compiled code does a
hundred, and its compiler needs more memory than all of a worker: both live in a process of their own, the program
`zipcrypto_filter`, from when a larger member is read until the last such member is closed.
"""

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from pyzipper.zipfile import CRCZipDecrypter  # type: ignore[import-untyped]

FRAME = struct.Struct("<4I")  # three keys and the number of bytes that follow
# What Python decrypts while the other process would still be starting (bytes).
SMALL_BYTES = 256 * 1024
# Linux gives a pipe a sixteenth of this, and the two processes would wait for one another half of the time.
_PIPE_BYTES = 1024**2
_PROGRAM = Path(__file__).with_name("zipcrypto_filter.py")


class DecryptionLostError(Exception):
    """The process that decrypts has ended: a fault of this machine, and none of the archive."""


class Filter:
    """The process, which all open members of all threads share: it knows no more than one piece at a time."""

    def __init__(self) -> None:
        self.patience_s = 60.0  # for one piece
        self._lock = threading.Lock()
        self._users = 0
        self._process: subprocess.Popen[bytes] | None = None

    def join(self) -> None:
        with self._lock:
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._stop()

    def decrypt(self, keys: tuple[int, int, int], data: bytes) -> tuple[tuple[int, int, int], bytes]:
        """The keys after the data, and its plain text."""
        with self._lock:
            try:
                return self._exchange(keys, data)
            except (OSError, EOFError) as error:
                self._stop()
                raise DecryptionLostError(repr(error)) from error
            except BaseException:  # an answer that was not read would be taken for the next one's
                self._stop()
                raise

    def _exchange(self, keys: tuple[int, int, int], data: bytes) -> tuple[tuple[int, int, int], bytes]:
        if self._process is None:
            self._process = _start()
        limit = threading.Timer(self.patience_s, self._process.kill)  # or all members wait for one that is stuck
        limit.start()
        try:
            answer = _pass_through(self._process, FRAME.pack(*keys, len(data)) + data)
        finally:
            limit.cancel()
        key0, key1, key2, _size = FRAME.unpack_from(answer)
        return (key0, key1, key2), answer[FRAME.size :]

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _pass_through(process: subprocess.Popen[bytes], piece: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(piece)
    process.stdin.flush()
    answer = process.stdout.read(len(piece))
    if len(answer) < len(piece):
        raise EOFError
    return answer


def _start() -> subprocess.Popen[bytes]:
    """It ends by itself when this process does, however that ends: its input ends. Our secrets are none of its."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = {**kept, "OPENBLAS_NUM_THREADS": "1"}  # others would cost memory only
    command = [sys.executable, "-P", str(_PROGRAM)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
    for pipe in (process.stdin, process.stdout):
        _widen(pipe)
    return process


def _widen(pipe: IO[bytes] | None) -> None:
    if sys.platform == "linux" and pipe is not None:
        with contextlib.suppress(OSError):  # beyond a person's quota of pipes it is slower
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


_filter = Filter()


class Decrypter(CRCZipDecrypter):  # type: ignore[misc]
    """Checks the password as pyzipper's does. To be closed."""

    key0: int
    key1: int
    key2: int

    def __init__(self, *args: Any, **options: Any) -> None:
        self._seen = 0
        self._has_joined = False
        super().__init__(*args, **options)

    def decrypt(self, data: bytes) -> bytes:
        """Raises `DecryptionLostError`."""
        self._seen += len(data)
        if self._seen <= SMALL_BYTES:
            plain: bytes = super().decrypt(data)
            return plain
        if not self._has_joined:
            _filter.join()
            self._has_joined = True
        keys, plain = _filter.decrypt((self.key0, self.key1, self.key2), data)
        self.key0, self.key1, self.key2 = keys
        return plain

    def close(self) -> None:
        if self._has_joined:
            _filter.leave()
            self._has_joined = False
