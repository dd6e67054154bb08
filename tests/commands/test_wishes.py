"""`imputehub jobs submit`, `templates` and `results download --archive`: what they ask for, and what they say."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from fastapi import FastAPI, Request
from fastapi.responses import Response
from typer.testing import CliRunner, Result

from imputehub.commands import jobs, results, templates
from microservices.kernel.testing import serve_app

Command = Callable[..., Result]

SITES = [{"id": "s1", "name": "South"}, {"id": "s2", "name": "East"}]
PANELS = [
    {"id": "p1", "name": "Big", "panel_id": "apps@big@1", "service_id": "s1"},
    {"id": "p2", "name": "Small", "panel_id": "small", "service_id": "s2"},
]
ELSEWHERE = {"service_id": "s2", "panel_id": "p2"}
TEMPLATE = {
    "id": "t1",
    "name": "Usual",
    "shared": True,
    "build": "hg38",
    "phasing": "eagle",
    "population": None,
    "r2_filter": 0.3,
    "mode": "imputation",
    "priority": "high",
    "residency": {"countries": ["KE", "ZA"]},
    "targets": [{"service_id": "s1", "panel_id": "p1", "alternates": [ELSEWHERE]}],
}


class Gateway:
    """Knows two sites and a template, and notes which jobs are wished for."""

    def __init__(self) -> None:
        self.wishes: list[dict[str, Any]] = []
        self.archive = b""

    def build(self) -> FastAPI:
        app = FastAPI()

        def page(items: list[dict[str, Any]]) -> dict[str, Any]:
            return {"items": items, "next_cursor": None, "total": len(items)}

        @app.post("/api/v1/auth/token")
        def grant() -> dict[str, Any]:
            return {"access_token": "a", "refresh_token": "r", "expires_in": 600}

        @app.get("/api/v1/services")
        def sites() -> dict[str, Any]:
            return page(SITES)

        @app.get("/api/v1/panels")
        def panels(service_id: str | None = None) -> dict[str, Any]:
            return page([panel for panel in PANELS if service_id in (None, panel["service_id"])])

        @app.get("/api/v1/job-templates")
        def list_templates() -> dict[str, Any]:
            return page([TEMPLATE])

        @app.post("/api/v1/jobs")
        async def submit(request: Request) -> dict[str, Any]:
            self.wishes.append(await request.json())
            return {"id": "j1"}

        @app.get("/api/v1/jobs/j1/results/archive")
        def download() -> Response:
            return Response(self.archive, media_type="application/zip")

        return app


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Gateway, str]]:
    gateway = Gateway()
    with serve_app(gateway.build()) as url:
        yield gateway, url


@pytest.fixture
def gateway(served: tuple[Gateway, str]) -> Gateway:
    served[0].wishes.clear()
    return served[0]


@pytest.fixture
def command(served: tuple[Gateway, str], tmp_path: Path) -> Command:
    session = tmp_path / "imputehub" / "session.json"
    session.parent.mkdir()
    session.write_text(json.dumps({"gateway_url": served[1], "refresh_token": "r"}))

    def run(app: typer.Typer, *words: str) -> Result:
        return CliRunner().invoke(app, list(words), env={"XDG_CONFIG_HOME": str(tmp_path)})

    return run


def test_a_job_says_only_what_was_given_with_its_alternates_priority_and_countries(
    gateway: Gateway, command: Command
) -> None:
    words = ("--target", "South/Big", "--alternate", "East/small", "--alternate", "South/Big", "--build", "hg38")
    done = command(jobs.app, "submit", "f1", *words, "--priority", "low", "--country", "za", "--country", "KE")
    assert (done.exit_code, done.stdout) == (0, "j1\n")
    target = {"service_id": "s1", "panel_id": "p1", "alternates": [ELSEWHERE]}
    asked = {"input_file_ids": ["f1"], "name": "imputation", "build": "hg38", "priority": "low", "targets": [target]}
    assert gateway.wishes == [asked | {"residency": {"countries": ["ZA", "KE"]}}]


def test_what_is_not_given_is_left_to_the_template(gateway: Gateway, command: Command) -> None:
    assert command(jobs.app, "submit", "f1", "--template", "Usual").exit_code == 0
    assert gateway.wishes == [{"input_file_ids": ["f1"], "template_id": "t1"}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--build", "hg38"), "Say a --target"),
        (("--template", "Usual", "--alternate", "East/Small"), "Say the --target of which"),
        (("--template", "Rare"), "'Rare' is not the name or id of one template. There are: Usual."),
    ],
)
def test_what_cannot_be_meant_is_said(gateway: Gateway, command: Command, words: tuple[str, ...], said: str) -> None:
    done = command(jobs.app, "submit", "f1", *words)
    assert done.exit_code == 1
    assert said in done.output
    assert gateway.wishes == []


def test_templates_are_listed_and_shown_as_they_would_be_given(gateway: Gateway, command: Command) -> None:
    assert "Usual" in command(templates.app, "list").stdout
    assert command(templates.app, "show", "t1").stdout.splitlines()[1:] == [
        "  build: hg38",
        "  phasing: eagle",
        "  r2_filter: 0.3",
        "  mode: imputation",
        "  priority: high",
        "  data may go to: KE, ZA",
        "  target: South/Big",
        "    if its site cannot take it: East/Small",
    ]


def make_archive(content: bytes, told: bytes) -> bytes:
    buffer = io.BytesIO()
    files = [{"path": "1_panel/a.txt", "sha256": hashlib.sha256(told).hexdigest()}]
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", json.dumps({"job_id": "j1", "files": files}))
        archive.writestr("1_panel/a.txt", content)
    return buffer.getvalue()


def test_an_archive_appears_only_when_all_in_it_is_as_its_manifest_says(
    gateway: Gateway, command: Command, tmp_path: Path
) -> None:
    target = tmp_path / "all.zip"
    whole = make_archive(b"x", b"x")
    for gateway.archive, said in ((make_archive(b"x", b"y"), "1_panel/a.txt"), (whole[:-9], "damaged")):
        done = command(results.app, "download", "j1", "--archive", str(target))
        assert done.exit_code == 1
        assert said in done.output
        assert not target.exists()
    gateway.archive = whole
    assert command(results.app, "download", "j1", "--archive", str(target)).exit_code == 0
    assert target.read_bytes() == whole
