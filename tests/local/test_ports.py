import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from imputehub.local.errors import LocalPlatformError
from imputehub.local.ports import DEFAULT_PORTS, choose_ports, name_variable

FREE = {name_variable(name): "0" for name in DEFAULT_PORTS}


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_taken_port_is_told_with_its_holder_and_the_variable_to_set(taken_port: int, tmp_path: Path) -> None:
    environment = {**os.environ, **FREE, "IMPUTEHUB_HOME": str(tmp_path / "home")}
    environment["IMPUTEHUB_PORT_USER_SERVICE"] = str(taken_port)
    for arguments in (["up"], ["up", "--detach"]):
        command = [sys.executable, "-m", "imputehub", *arguments]
        result = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60)
        assert result.returncode == 1
        assert f"Port {taken_port}, which user_service needs, is taken" in result.stderr
        assert f"(process {os.getpid()})" in result.stderr
        assert "IMPUTEHUB_PORT_USER_SERVICE" in result.stderr
        assert "Traceback" not in result.stderr


def test_every_taken_port_is_told_at_once(taken_port: int) -> None:
    two = {"IMPUTEHUB_PORT_DJANGO": str(taken_port), "IMPUTEHUB_PORT_MONITORING": str(taken_port)}
    with pytest.raises(LocalPlatformError) as refusal:
        choose_ports({**FREE, **two}, {})
    assert "django needs" in str(refusal.value)
    assert "monitoring needs" in str(refusal.value)


def test_what_is_absent_may_have_its_port_taken(taken_port: int) -> None:
    environment = {**FREE, "IMPUTEHUB_PORT_SANDBOX_WES": str(taken_port)}
    assert "sandbox_wes" not in choose_ports(environment, {}, ("sandbox_wes",))
    with pytest.raises(LocalPlatformError, match="sandbox_wes needs"):
        choose_ports(environment, {})


def test_free_ports_differ_and_the_last_ones_are_taken_again() -> None:
    first = choose_ports(FREE, {})
    assert len(set(first.values())) == len(first)
    assert choose_ports(FREE, first) == first


def test_a_remembered_port_that_is_taken_gives_way(taken_port: int) -> None:
    assert choose_ports(FREE, {"valkey": taken_port})["valkey"] != taken_port


def test_a_free_port_is_never_the_default_of_an_earlier_start() -> None:
    assert choose_ports(FREE, DEFAULT_PORTS)["api_gateway"] != DEFAULT_PORTS["api_gateway"]


@pytest.mark.parametrize("text", ["abc", "-1", "70000", "٣"])
def test_what_is_no_port_is_refused_with_the_variables_name(text: str) -> None:
    with pytest.raises(LocalPlatformError, match="IMPUTEHUB_PORT_DJANGO"):
        choose_ports({**FREE, "IMPUTEHUB_PORT_DJANGO": text}, {})
