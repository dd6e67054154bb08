"""WinZip's AES, against the library that writes it."""

import random
from types import SimpleNamespace

import pytest
from pyzipper.zipfile_aes import AESZipDecrypter, AESZipEncrypter  # type: ignore[import-untyped]

from microservices.backends.winzip_aes import AesDecrypter

PASSWORD = b"Secret12345x"


@pytest.mark.parametrize("bits", [128, 192, 256])
def test_pieces_of_any_size_come_out_as_they_went_in(bits: int) -> None:
    encrypter, chance = AESZipEncrypter(PASSWORD, nbits=bits), random.Random(bits)
    member = SimpleNamespace(filename="a", wz_aes_strength=encrypter.aes_strength)
    decrypter = AesDecrypter(member, PASSWORD, encrypter.encryption_header())
    for size in [1, 15, 16, 4096, 300_001, 0, (1 << 17) - 1, 2 << 17, 33_333]:
        plain = chance.randbytes(size)
        assert decrypter.decrypt(encrypter.encrypt(plain)) == plain, size
    decrypter.check_hmac(encrypter.flush())


@pytest.mark.parametrize("kind", [AesDecrypter, AESZipDecrypter])
def test_a_wrong_password_is_refused_as_the_library_does(kind: type[AESZipDecrypter]) -> None:
    encrypter = AESZipEncrypter(PASSWORD)
    member = SimpleNamespace(filename="a", wz_aes_strength=encrypter.aes_strength)
    with pytest.raises(RuntimeError):
        kind(member, b"Wrong1234567", encrypter.encryption_header())
