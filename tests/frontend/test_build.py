"""`frontend/dist` is made when its sources have changed, and only then."""

import stat
from pathlib import Path

import pytest

from imputehub.frontend import FrontendError
from imputehub.frontend.build import build_frontend
from imputehub.frontend.node import Node, find_node, is_recent

# Stands in for npm: tells what it was asked, and "builds".
NPM = """#!/bin/sh
echo "$*" >> "$PWD/asked"
case "$*" in
  ci*) mkdir -p node_modules ;;
  *) [ -e broken ] && { echo "Unexpected token in main.tsx"; exit 1; }
     rm -rf dist && mkdir dist && cp src/main.tsx dist/index.html ;;
esac
"""


def write_program(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    frontend = tmp_path / "frontend"
    (frontend / "src" / "shared").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "openapi.json").write_text("{}")
    (frontend / "src" / "main.tsx").write_text("one")
    for name in ("index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json"):
        (frontend / name).write_text("{}")
    return tmp_path


@pytest.fixture
def node(tmp_path: Path) -> Node:
    npm = write_program(tmp_path / "npm", NPM)
    return Node(tmp_path / "node", (str(npm),))


def make(root: Path, node: Node) -> bool:
    return build_frontend(root, provide=lambda _frontend: node)


def read_asked(root: Path) -> list[str]:
    return [line.split()[0] for line in (root / "frontend" / "asked").read_text().splitlines()]


def test_unchanged_sources_are_not_built_again(root: Path, node: Node) -> None:
    assert make(root, node) is True
    assert make(root, node) is False
    assert read_asked(root) == ["ci", "run"]


def test_changed_sources_are_built_again_without_installing_again(root: Path, node: Node) -> None:
    make(root, node)
    (root / "frontend" / "src" / "main.tsx").write_text("two")
    assert make(root, node) is True
    assert (root / "frontend" / "dist" / "index.html").read_text() == "two"
    assert read_asked(root) == ["ci", "run", "run"]


@pytest.mark.parametrize("changed", ["docs/openapi.json", "frontend/package-lock.json", "frontend/src/new.ts"])
def test_whatever_the_build_reads_makes_it_anew(root: Path, node: Node, changed: str) -> None:
    make(root, node)
    (root / changed).write_text("changed")
    assert make(root, node) is True


@pytest.mark.parametrize("changed", ["frontend/src/main.test.tsx", "frontend/README.md"])
def test_what_the_build_does_not_read_makes_nothing(root: Path, node: Node, changed: str) -> None:
    make(root, node)
    (root / changed).write_text("changed")
    assert make(root, node) is False


def test_a_failed_build_says_why_and_is_tried_again(root: Path, node: Node) -> None:
    (root / "frontend" / "broken").touch()
    with pytest.raises(FrontendError, match=r"Unexpected token in main\.tsx"):
        make(root, node)
    (root / "frontend" / "broken").unlink()
    assert make(root, node) is True


def test_an_incomplete_checkout_is_told(root: Path, node: Node) -> None:
    (root / "docs" / "openapi.json").unlink()
    with pytest.raises(FrontendError, match=r"openapi\.json is missing"):
        make(root, node)


@pytest.mark.parametrize(
    ("version", "recent"),
    [("v18.20.1", False), ("v20.18.0", False), ("v20.19.0", True), ("v22.11.0", False), ("v24.1.0", True), ("", False)],
)
def test_a_node_is_used_when_vite_runs_on_it(version: str, recent: bool) -> None:
    assert is_recent(f"{version}\n") is recent


def test_a_node_that_is_too_old_is_not_used(tmp_path: Path) -> None:
    write_program(tmp_path / "npm", "#!/bin/sh\n")
    write_program(tmp_path / "node", "#!/bin/sh\necho v18.20.1\n")
    assert find_node(str(tmp_path)) is None
    write_program(tmp_path / "node", "#!/bin/sh\necho v24.1.0\n")
    found = find_node(str(tmp_path))
    assert found is not None
    assert found.binary == tmp_path / "node"
