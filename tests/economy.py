"""What spares the tests CPU, and takes nothing from what they show."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import certifi
import pytest

_END = "-----END CERTIFICATE-----"


def pytest_configure(config: pytest.Config) -> None:
    """For this process, and for its workers and the tests' processes, which inherit the environment."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # as in the Makefile
    sys.dont_write_bytecode = False
    if not hasattr(config, "workerinput"):
        folder = TemporaryDirectory()
        config.add_cleanup(folder.cleanup)
        os.environ["SSL_CERT_FILE"] = str(_write_one_authority(Path(folder.name)))
    authority = os.environ["SSL_CERT_FILE"]
    certifi.where = lambda: authority


def _write_one_authority(folder: Path) -> Path:
    """Each new HTTP client reads all authorities that it trusts, which takes it 20 ms; for the 140 of the machine
    nothing here has a certificate."""
    path, bundle = folder / "authority.pem", Path(certifi.where()).read_text(encoding="utf-8")
    path.write_text(bundle.partition(_END)[0] + _END, encoding="utf-8")
    return path
