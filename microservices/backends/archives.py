"""Open fetched results: archives are tested while they are read, and nothing in them is believed.

Sites zip with ZipCrypto or WinZip AES, and give no checksum beside the archive, so each member's own (CRC, or the AES
tag) and the end block of a bgzip file are what tells a whole result from a cut one.
"""

import io
import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyzipper  # type: ignore[import-untyped]

from microservices.backends.base import ResultKind, ResultMember, ResultRefusedError, SiteFile
from microservices.backends.bgzip import BgzipEndError, BgzipWatch
from microservices.backends.filenames import check_filename
from microservices.backends.inflating import DamagedGzipError, Inflater
from microservices.backends.zipcrypto import Decrypter

# More at a time is slower: the system hands out larger pieces of memory page by page, and each anew.
READ_BYTES = 256 * 1024
MAX_MEMBERS = 1000
# Genotypes in the archives are compressed already; text shrinks tenfold at best.
MAX_RATIO = 200
MAX_FREE_BYTES = 64 * 1024**2
Classify = Callable[[str], ResultKind]
_DAMAGE = (pyzipper.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, ValueError, OSError)


class _MemberFile(pyzipper.zipfile_aes.AESZipExtFile):  # type: ignore[misc]
    """Both ciphers as sites use them.

    The AES tag follows the last compressed byte, which may come after the last byte of content.
    """

    _decrypter: Any = None  # until the password is checked

    def check_wz_aes(self) -> None:
        while self._compress_left > 0:
            self._read2(self.MIN_READ_SIZE)
        super().check_wz_aes()

    def setup_crczipdecrypter(self) -> type[Decrypter]:
        super().setup_crczipdecrypter()
        return Decrypter

    def close(self) -> None:
        if isinstance(self._decrypter, Decrypter):
            self._decrypter.close()
        super().close()


class _Archive(pyzipper.AESZipFile):  # type: ignore[misc]
    zipextfile_cls = _MemberFile


def unpack_file(file: SiteFile, path: Path, password: str | None, classify: Classify) -> Iterator[ResultMember]:
    """The checked members of an archive, or a file that is none as its own only member; `classify` says what each is.

    A member's stream raises `ResultRefusedError` while it is read, its end included: keep nothing of a member before
    its stream has ended. What the caller leaves unread is read here, so every member is tested.
    """
    if _is_archive(file, path):
        yield from _unpack_archive(path, password, file.filename, classify)
    else:
        with path.open("rb") as stream:
            yield from _give_member(file.filename, file.filename, stream, classify(file.filename))


def list_contents(file: SiteFile, path: Path) -> list[str]:
    """The names that `unpack_file` will give, as far as an archive that nobody has tested yet tells them."""
    if not _is_archive(file, path):
        return [file.filename]
    try:
        with _Archive(path) as zipped:
            return [member.filename for member in zipped.infolist() if not member.is_dir()]
    except (*_DAMAGE, NotImplementedError):
        return []


def _is_archive(file: SiteFile, path: Path) -> bool:
    return path.suffix == ".zip" or file.filename.endswith(".zip")


def _unpack_archive(path: Path, password: str | None, archive: str, classify: Classify) -> Iterator[ResultMember]:
    with _translate_damage(archive), _Archive(path) as zipped:
        members = [member for member in zipped.infolist() if not member.is_dir()]
        _check_members(members, path.stat().st_size, archive)
        for member in members:
            with _open_member(zipped, member, password, archive) as stream:
                yield from _give_member(archive, member.filename, stream, classify(member.filename))


def _give_member(archive: str, filename: str, source: BinaryIO, kind: ResultKind) -> Iterator[ResultMember]:
    stream = io.BufferedReader(_CheckedStream(source, archive, filename), READ_BYTES)
    yield ResultMember(filename, kind, stream)
    while stream.read(READ_BYTES):
        pass


def _check_members(members: list[Any], archive_bytes: int, archive: str) -> None:
    """Before a byte is unpacked: names that stay where they are put, and no bomb (by ratio, overlap or number)."""
    names = [check_filename(member.filename) for member in members]
    if len(names) > MAX_MEMBERS or len(set(names)) < len(names):
        raise _refuse(archive, "holds too many files, or one name twice", "archive_unsafe", permanent=True)
    unpacked = sum(member.file_size for member in members)
    packed = sum(member.compress_size for member in members)
    if packed > archive_bytes or unpacked > MAX_RATIO * archive_bytes + MAX_FREE_BYTES:
        raise _refuse(
            archive, f"would unpack to {unpacked} bytes, which no result does", "archive_unsafe", permanent=True
        )


def _open_member(zipped: Any, member: Any, password: str | None, archive: str) -> BinaryIO:
    """Both ciphers check the password here; ZipCrypto lets 1 of 256 wrong ones pass, which the CRC then finds."""
    try:
        with _translate_damage(archive):
            opened: BinaryIO = zipped.open(member, pwd=password.encode() if password else None)
            return opened
    except RuntimeError:
        given = "the password of this run does not open it" if password else "no password is known"
        raise _refuse(archive, f"is encrypted and {given}", "password_wrong", permanent=True) from None


@contextmanager
def _translate_damage(archive: str, hint: str = "") -> Iterator[None]:
    try:
        yield
    except NotImplementedError:
        raise _refuse(
            archive, "is packed in a way that cannot be read", "archive_unsupported", permanent=True
        ) from None
    except _DAMAGE as error:
        raise _refuse(archive, f"is damaged{hint} ({type(error).__name__})", "archive_damaged") from None
    except BgzipEndError as error:
        raise _refuse(archive, str(error), "archive_damaged") from None
    except DamagedGzipError as error:
        raise _refuse(archive, f"is damaged ({error})", "archive_damaged") from None


class _CheckedStream(io.RawIOBase):
    """A member's bytes; damage shows as `ResultRefusedError`, at the latest at the end."""

    def __init__(self, source: BinaryIO, archive: str, filename: str) -> None:
        super().__init__()
        self._source = source
        self._archive = archive
        self._hint = f" in {filename}, or its password is wrong" if archive != filename else ""
        self._watch = BgzipWatch(filename) if filename.endswith(".gz") else None
        # An archive has a checksum of each member; a file that came alone has only those inside it.
        self._test = Inflater() if filename.endswith(".gz") and archive == filename else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            with _translate_damage(self._archive, self._hint):
                data = self._read(len(buffer))
        except Exception:
            self._source.close()  # ends what decrypts it, however long somebody keeps the error and its frames
            raise
        buffer[: len(data)] = data
        return len(data)

    def _read(self, size: int) -> bytes:
        data = self._source.read(size)
        if self._watch is not None:
            self._watch.see(data)
        if self._test is not None:
            self._inflate(self._test, data)
        return data

    def _inflate(self, test: Inflater, data: bytes) -> None:
        for _text in test.feed(data):
            pass
        if not data:
            test.finish()


def _refuse(archive: str, why: str, code: str, *, permanent: bool = False) -> ResultRefusedError:
    return ResultRefusedError(f"The result {archive} {why}.", code=code, permanent=permanent)
