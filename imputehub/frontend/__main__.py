"""`python -m imputehub.frontend build | check | openapi [--url …]`."""

import argparse
import sys
import time

from imputehub.frontend import ROOT, FrontendError
from imputehub.frontend.build import build_frontend, check_frontend


def build() -> str:
    started = time.monotonic()
    made = build_frontend(ROOT)
    return f"frontend/dist made ({time.monotonic() - started:.0f} s)" if made else "frontend/dist is up to date"


def check() -> str:
    check_frontend(ROOT)
    return "The frontend's linter, types and tests have nothing to say."


def describe(url: str) -> str:
    # The others are called before there is an environment, with nothing but Python.
    from imputehub.frontend.description import write_description

    changed = write_description(url, ROOT / "docs" / "openapi.json")
    return "docs/openapi.json has changed" if changed else "docs/openapi.json is up to date"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m imputehub.frontend", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="make frontend/dist, when its sources have changed")
    commands.add_parser("check", help="eslint, tsc and the component tests")
    openapi = commands.add_parser("openapi", help="write docs/openapi.json, from a platform that runs")
    openapi.add_argument("--url", default="http://127.0.0.1:8000", help="the gateway's address")
    given = parser.parse_args()
    try:
        print(describe(given.url) if given.command == "openapi" else {"build": build, "check": check}[given.command]())
    except FrontendError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
