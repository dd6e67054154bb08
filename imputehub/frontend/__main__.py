"""`python -m imputehub.frontend build | openapi [--url …]`."""

import argparse
import sys
import time

from imputehub.frontend import ROOT, FrontendError
from imputehub.frontend.build import build_frontend
from imputehub.frontend.description import write_description


def build() -> str:
    started = time.monotonic()
    made = build_frontend(ROOT)
    return f"frontend/dist made ({time.monotonic() - started:.0f} s)" if made else "frontend/dist is up to date"


def describe(url: str) -> str:
    changed = write_description(url, ROOT / "docs" / "openapi.json")
    return "docs/openapi.json has changed" if changed else "docs/openapi.json is up to date"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m imputehub.frontend", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="make frontend/dist, when its sources have changed")
    openapi = commands.add_parser("openapi", help="write docs/openapi.json, from a platform that runs")
    openapi.add_argument("--url", default="http://127.0.0.1:8000", help="the gateway's address")
    given = parser.parse_args()
    try:
        print(build() if given.command == "build" else describe(given.url))
    except FrontendError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
