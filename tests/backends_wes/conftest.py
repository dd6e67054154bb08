"""Coroutine tests run as those of the other adapters do."""

from tests.backends.conftest import pytest_pyfunc_call

__all__ = ["pytest_pyfunc_call"]
