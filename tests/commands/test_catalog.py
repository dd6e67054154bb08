"""`imputehub catalog`: what it says, and its exit codes."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from microservices.kernel.testing import serve_app

DRIFT, REPAIR = "/api/v1/curation/drift/", "/api/v1/curation/repair/"
Command = Callable[..., subprocess.CompletedProcess[str]]

ALTERED = {
    "service_id": "6e6a2f0e-9f0e-4b5c-8f0e-0d6f3f3b8f11",
    "name": "Server of [Examples]",
    "kind": "altered",
    "version": 7,
    "registry_version": 7,
    "message": "The registry has this version with another content.",
    "differences": ['name: "Server of [Examples]" here, "Another" in the registry'],
}
STRAY = {**ALTERED, "service_id": "0d9f7a3a-7a51-4d0f-9c55-5d1d7c4f9a10", "name": "", "kind": "stray", "version": None}
PENDING = {**ALTERED, "kind": "pending", "differences": [], "message": "Its last change is on its way."}


def describe_drift(*findings: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    in_sync = all(one["kind"] == "pending" for one in findings)
    return 200, {"checked_at": "2026-11-22T10:00:00Z", "sites": 4, "in_sync": in_sync, "findings": list(findings)}


class House:
    """Answers as the curators' house does: each address with what is left for it; the last answer stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, dict[str, Any]]]] = {}
        self.bodies: list[Any] = []

    def build(self) -> FastAPI:
        app = FastAPI()

        @app.post("/api/v1/auth/token")
        def grant() -> dict[str, Any]:
            return {"access_token": "a", "refresh_token": "r", "expires_in": 600}

        @app.api_route("/api/v1/curation/{rest:path}", methods=["GET", "POST"])
        async def answer(request: Request) -> JSONResponse:
            if request.method == "POST":
                self.bodies.append(await request.json())
            waiting = self.answers[request.url.path]
            status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return JSONResponse(body, status)

        return app


@pytest.fixture
def house() -> House:
    return House()


@pytest.fixture
def catalog(house: House, tmp_path: Path) -> Iterator[Command]:
    with serve_app(house.build()) as url:
        session = tmp_path / "imputehub" / "session.json"
        session.parent.mkdir()
        session.write_text(json.dumps({"gateway_url": url, "refresh_token": "r"}))
        environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "COLUMNS": "200"}

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "imputehub", "catalog", *words]
            return subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)

        yield run


def test_a_check_that_finds_nothing_says_so(house: House, catalog: Command) -> None:
    house.answers[DRIFT] = [describe_drift()]
    done = catalog("check")
    assert (done.returncode, done.stdout) == (0, "The registry holds what is curated: 4 sites with all their panels.\n")


def test_a_check_shows_each_difference_by_version_and_in_words(house: House, catalog: Command) -> None:
    house.answers[DRIFT] = [describe_drift(ALTERED, STRAY)]
    done = catalog("check")
    assert done.returncode == 1
    assert 'Server of [Examples]" here, "Another" in the registry' in done.stdout
    assert STRAY["service_id"] in done.stdout
    assert "imputehub catalog repair" in done.stdout


def test_what_is_on_its_way_is_shown_and_is_no_difference(house: House, catalog: Command) -> None:
    house.answers[DRIFT] = [describe_drift(PENDING)]
    done = catalog("check")
    assert done.returncode == 0
    assert "on its way" in done.stdout


def test_a_repair_says_what_it_did_and_waits_until_it_has_arrived(house: House, catalog: Command) -> None:
    repairs = [
        {"finding": ALTERED, "action": "sent", "version": 8},
        {"finding": STRAY, "action": "removed", "version": 10},
    ]
    house.answers[REPAIR] = [(202, {"sites": 4, "repairs": repairs})]
    house.answers[DRIFT] = [describe_drift(PENDING), describe_drift()]
    done = catalog("repair")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Server of [Examples]: told again, version 8." in done.stdout
    assert f"{STRAY['service_id']}: removed from the registry, version 10." in done.stdout
    assert "2 sites were mended." in done.stdout
    assert house.bodies == [{"even_if_empty": False}]


def test_a_repair_that_cannot_mend_everything_ends_with_what_is_left(house: House, catalog: Command) -> None:
    unreadable = {**ALTERED, "kind": "unreadable", "message": "Set its credential again."}
    house.answers[REPAIR] = [(202, {"sites": 4, "repairs": [{"finding": unreadable, "action": "left", "version": 7}]})]
    house.answers[DRIFT] = [describe_drift(unreadable)]
    done = catalog("repair", "--even-if-empty")
    assert done.returncode == 1
    assert "left as it is. Set its credential again." in done.stdout
    assert house.bodies == [{"even_if_empty": True}]


@pytest.mark.parametrize("verb", ["check", "repair"])
def test_what_could_not_be_found_out_is_told_apart_from_a_difference(house: House, catalog: Command, verb: str) -> None:
    away = {"code": "dependency_unavailable", "detail": "service_registry does not answer. Try again in a few seconds."}
    house.answers[DRIFT] = house.answers[REPAIR] = [(503, away)]
    done = catalog(verb)
    assert (done.returncode, done.stderr) == (2, f"Error: {away['detail']}\n")


def test_nobody_logged_in_and_no_platform_are_told_apart_from_a_difference(tmp_path: Path) -> None:
    environ = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path)}
    command = [sys.executable, "-m", "imputehub", "catalog", "check"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (2, "Error: Log in first: imputehub login\n")
