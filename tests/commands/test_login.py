"""`imputehub login` and `imputehub logout`: at which platform, and what is left behind."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse

from imputehub.local.state import hold_lock, prepare_home
from microservices.kernel.testing import serve_app


class Platform:
    """Knows one account. `ended`: the access tokens whose log-in was ended; `code`: what its second factor takes."""

    def __init__(self) -> None:
        self.ended: list[str] = []
        self.refuses_refresh = False
        self.code = ""

    def build(self) -> FastAPI:
        app = FastAPI()

        @app.post("/api/v1/auth/token")
        async def grant(request: Request) -> JSONResponse:
            form = await request.form()
            if form["grant_type"] == "refresh_token" and self.refuses_refresh:
                return JSONResponse({"code": "invalid_grant", "detail": "Ended."}, 400)
            if self.code and form.get("otp") != self.code:
                refusal = "otp_invalid" if "otp" in form else "otp_required"
                return JSONResponse({"code": refusal, "detail": f"This is {refusal}."}, 400)
            return JSONResponse({"access_token": "access", "refresh_token": "refresh", "expires_in": 600})

        @app.get("/api/v1/users/me")
        def show() -> dict[str, Any]:
            return {"email": "researcher@example.org"}

        @app.post("/api/v1/auth/logout")
        def end(request: Request) -> Response:
            self.ended.append(request.headers["authorization"])
            return Response(status_code=204)

        return app


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def address(platform: Platform) -> Iterator[str]:
    with serve_app(platform.build()) as url:
        yield url


def run(folder: Path, *words: str, answers: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "IMPUTEHUB_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "imputehub", *words]
    return subprocess.run(command, env=environ, input=answers, capture_output=True, text=True, check=False, timeout=60)


def log_in(folder: Path, address: str) -> Path:
    words = ("login", "--gateway", address, "--email", "researcher@example.org", "--password", "x")
    done = run(folder, *words)
    assert (done.returncode, done.stderr) == (0, ""), done
    return folder / "config" / "imputehub" / "session.json"


def test_who_names_no_platform_logs_in_to_the_one_that_runs_here(tmp_path: Path, address: str) -> None:
    home = tmp_path / "home"
    prepare_home(home)
    (home / "credentials.json").write_text(json.dumps({"gateway_url": address}))
    with hold_lock(home):  # as its supervisor does while it runs
        done = run(tmp_path, "login", "--email", "researcher@example.org", "--password", "x")
    assert done.stdout == f"Logged in to {address} as researcher@example.org.\n"
    session = tmp_path / "config" / "imputehub" / "session.json"
    assert json.loads(session.read_text()) == {"gateway_url": address, "refresh_token": "refresh"}
    assert stat.S_IMODE(session.stat().st_mode) == 0o600


def test_where_none_runs_the_address_is_asked_for_and_then_the_account(tmp_path: Path, address: str) -> None:
    done = run(tmp_path, "login", "--password", "x", answers=f"{address}\nresearcher@example.org\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.index("The platform's address") < done.stdout.index(f"your account at {address}")


def test_a_code_is_asked_for_where_the_account_needs_one(tmp_path: Path, address: str, platform: Platform) -> None:
    platform.code = "123456"
    words = ("login", "--gateway", address, "--email", "researcher@example.org", "--password", "x")
    asked = run(tmp_path, *words, answers="123456\n")
    assert (asked.returncode, asked.stderr) == (0, "")
    assert asked.stdout.startswith("Code of your authenticator app, or a recovery code: ")
    given = run(tmp_path, *words, "--otp", "123456")
    assert given.stdout == f"Logged in to {address} as researcher@example.org.\n"
    wrong = run(tmp_path, *words, "--otp", "654321")
    assert (wrong.returncode, wrong.stdout, wrong.stderr) == (1, "", "Error: This is otp_invalid.\n")


def test_a_log_out_ends_the_log_in_on_the_platform_and_forgets_it_here(
    tmp_path: Path, address: str, platform: Platform
) -> None:
    session = log_in(tmp_path, address)
    done = run(tmp_path, "logout")
    assert (done.returncode, done.stdout) == (0, "Logged out.\n")
    assert platform.ended == ["Bearer access"]
    assert not session.exists()
    assert run(tmp_path, "logout").stdout == "Nobody was logged in.\n"


def test_a_log_in_that_has_ended_is_forgotten_all_the_same(tmp_path: Path, address: str, platform: Platform) -> None:
    session = log_in(tmp_path, address)
    platform.refuses_refresh = True
    assert run(tmp_path, "logout").returncode == 0
    assert not session.exists()


def test_a_platform_that_is_away_cannot_end_a_log_in_and_that_is_said(tmp_path: Path, platform: Platform) -> None:
    with serve_app(platform.build()) as address:
        session = log_in(tmp_path, address)
    done = run(tmp_path, "logout")
    assert done.returncode != 0
    assert "does not answer" in done.stderr
    assert session.exists()
