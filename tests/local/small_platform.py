"""A real supervisor with real databases, and web servers of the standard library in the services' places."""

import os
import sys
from functools import partial
from pathlib import Path

from imputehub.local.credentials import list_databases
from imputehub.local.errors import LocalPlatformError
from imputehub.local.postgresql import create_databases
from imputehub.local.processes import ProcessSpec
from imputehub.local.readiness import answers_http
from imputehub.local.startup import run_platform
from imputehub.local.supervisor import Stage
from imputehub.local.table import Installation, describe_postgresql, describe_valkey

MARK = "import os, sys; open(sys.argv[1], 'a').write(sys.stdin.read())"


def describe_stages(site: Installation) -> list[Stage]:
    environment = {"PATH": os.environ["PATH"]}
    port = site.ports["file_manager"]
    served = site.home / "served"
    served.mkdir(exist_ok=True)
    web = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "-d", str(served), str(port)]
    idle = [sys.executable, "-c", "import time; time.sleep(1000)"]
    mark = [sys.executable, "-c", MARK, str(site.home / "marks")]
    databases = partial(create_databases, site.admin_dsn, list_databases(site.secrets))
    return [
        Stage(
            "databases",
            [describe_postgresql(site), describe_valkey(site)],
            databases,
            [ProcessSpec("migrate", "task", mark, environment, stdin=b"migrated\n")],
        ),
        Stage(
            "services",
            [
                ProcessSpec("file_manager", "service", web, environment, port, partial(answers_http, port, "/")),
                ProcessSpec("job_worker", "worker", idle, environment),
                *describe_broken(),
            ],
        ),
    ]


def describe_broken() -> list[ProcessSpec]:
    """A service that cannot start, when the test asks for one."""
    if "BROKEN" not in os.environ:
        return []
    program = "print('the panel list is unreadable'); raise SystemExit(3)"
    return [ProcessSpec("monitoring", "service", [sys.executable, "-c", program], {}, None, lambda: False)]


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    try:
        run_platform(
            Path(sys.argv[1]),
            os.environ,
            say,
            lambda: say("READY"),
            describe_stages,
        )
    except LocalPlatformError as error:
        say(f"ERROR {error}")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
