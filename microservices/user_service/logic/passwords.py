"""Password hashes: argon2id with the parameters of OWASP's password storage cheat sheet (19 MiB, 2 passes)."""

from functools import cache

from passlib.hash import argon2  # type: ignore[import-untyped]

# The library would load it at the first use, and fails for whoever else comes at that moment.
argon2.set_backend()
_HASHER = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1)


def hash_password(password: str) -> str:
    return str(_HASHER.hash(password))


def check_password(stored: str | None, password: str) -> bool:
    """Is it the password? Without a stored hash (no such account) the answer takes as long, and is no."""
    right = bool(_HASHER.verify(password, stored or _hash_of_nobody()))
    return right and stored is not None


def needs_rehash(stored: str) -> bool:
    """Was the hash made with other parameters than today's?"""
    return bool(_HASHER.needs_update(stored))


@cache
def _hash_of_nobody() -> str:
    return hash_password("nobody has this password")
