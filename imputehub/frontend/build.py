"""`frontend/dist` from `frontend/`: made when its sources have changed since, and only then."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from imputehub.frontend import FrontendError
from imputehub.frontend.node import Node, provide_node

# What shapes the outcome; tests and what is made on the way do not.
SOURCES = ("src", "public", "index.html", "package.json", "package-lock.json", "vite.config.ts", "tsconfig.json")
GENERATED = Path("src/shared/api/schema.d.ts")


def build_frontend(root: Path, provide: Callable[[Path], Node] = provide_node) -> bool:
    """True when it was made anew, False when it was up to date. Raises `FrontendError`."""
    frontend, description = root / "frontend", root / "docs" / "openapi.json"
    for needed in (frontend / "package-lock.json", description):
        if not needed.exists():
            raise FrontendError(f"{needed} is missing: the frontend is built from a complete checkout.")
    digest = digest_sources(frontend, description)
    # Vite empties the folder first, so an interrupted build leaves no stamp behind.
    stamp = frontend / "dist" / ".sources"
    if stamp.exists() and stamp.read_text() == digest:
        return False
    node = provide(frontend)
    _install_packages(node, frontend)
    node.run_npm("run", "build", folder=frontend)
    stamp.write_text(digest)
    return True


def check_frontend(root: Path, provide: Callable[[Path], Node] = provide_node) -> None:
    """Linter, types and component tests. Raises `FrontendError` with what they found."""
    frontend = root / "frontend"
    node = provide(frontend)
    _install_packages(node, frontend)
    node.run_npm("run", "check", folder=frontend)


def digest_sources(frontend: Path, description: Path) -> str:
    """SHA-256 over the names and bytes of everything that is built from."""
    total = hashlib.sha256(description.read_bytes())
    for path in _list_sources(frontend):
        name = path.relative_to(frontend).as_posix().encode()
        total.update(name + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _list_sources(frontend: Path) -> Iterator[Path]:
    for name in SOURCES:
        path = frontend / name
        found = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in found:
            if file.is_file() and file != frontend / GENERATED and ".test." not in file.name:
                yield file


def _install_packages(node: Node, frontend: Path) -> None:
    """`npm ci` removes what was installed before, hence its stamp too: an interrupted one is made again."""
    wanted = hashlib.sha256((frontend / "package-lock.json").read_bytes() + str(node.binary).encode()).hexdigest()
    stamp = frontend / "node_modules" / ".complete"
    if not stamp.exists() or stamp.read_text() != wanted:
        node.run_npm("ci", "--no-audit", "--no-fund", folder=frontend)
        stamp.write_text(wanted)
