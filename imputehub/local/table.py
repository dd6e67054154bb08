"""Every process of the platform: how it is run, where it listens, and how it shows that it is ready."""

import json
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from imputehub.local import environment, postgresql, valkey
from imputehub.local.control import Tokens
from imputehub.local.credentials import SERVICES, Secrets, describe_accounts, describe_staff, list_databases
from imputehub.local.processes import Kind, ProcessSpec
from imputehub.local.readiness import answers_http, awaits_tasks
from imputehub.local.supervisor import Stage
from imputehub.local.unprivileged import find_server_account

# sapporo's own environment (`make setup` makes it); where it is absent, the platform runs without that site.
WES_ENVIRONMENT = Path(__file__).parents[2] / ".venv" / "wes"
UVICORN = ["--host", "127.0.0.1", "--no-access-log", "--timeout-graceful-shutdown", "5", "--ws-max-size", "131072"]
CELERY = ["worker", "-B", "-P", "threads", "--without-gossip", "--without-mingle"]
# Threads of the job worker mostly wait for sites, each with an upload or a download of its own.
THREADS = {"job_worker": 32, "django_worker": 4}


@dataclass(frozen=True)
class Installation:
    """One state directory, ready to be run."""

    home: Path
    pgdata: Path
    secrets: Secrets
    ports: Mapping[str, int]
    environ: Mapping[str, str]

    def list_environment(self, owner: str) -> dict[str, str]:
        return environment.list_owner_environment(owner, self.environ, self.secrets, self.ports, self.home)

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.secrets["control"], self.secrets["console"])

    @property
    def admin_dsn(self) -> str:
        return postgresql.PostgresqlServer(self.ports["postgresql"], self.secrets["postgresql"]).admin_dsn


def list_names() -> list[tuple[str, Kind]]:
    """Name and kind of every process, in the order of the stages."""
    names: list[tuple[str, Kind]] = [("postgresql", "database"), ("valkey", "cache")]
    names += [(service, "service") for service in SERVICES]
    workers: list[tuple[str, Kind]] = [("job_worker", "worker"), ("django_worker", "worker")]
    sandbox: list[tuple[str, Kind]] = [("sandbox_site", "sandbox")]
    if has_wes_site():
        sandbox.append(("sandbox_wes", "sandbox"))
    return [*names, ("django", "django"), *workers, *sandbox]


def has_wes_site() -> bool:
    return (WES_ENVIRONMENT / ".complete").exists()


def build_stages(site: Installation) -> list[Stage]:
    return [
        Stage(
            "PostgreSQL and Valkey run, databases are migrated",
            [describe_postgresql(site), describe_valkey(site)],
            partial(postgresql.create_databases, site.admin_dsn, list_databases(site.secrets)),
            list_migrations(site),
        ),
        Stage(
            "Services, Django, workers and the sandbox run, accounts are set up",
            [
                *(describe_service(site, service) for service in SERVICES),
                describe_django(site),
                describe_worker(site, "job_worker", "job_processor", "microservices.job_processor.worker:app"),
                describe_worker(site, "django_worker", "django", "django_app.config.celery:app"),
                describe_sandbox(site),
                *([describe_wes_site(site)] if has_wes_site() else []),
            ],
            None,
            list_account_tasks(site),
        ),
    ]


def describe_postgresql(site: Installation) -> ProcessSpec:
    return ProcessSpec(
        "postgresql",
        "database",
        postgresql.make_server_command(site.pgdata, site.ports["postgresql"]),
        postgresql.SERVER_ENVIRONMENT,
        site.ports["postgresql"],
        partial(postgresql.accepts_connections, site.admin_dsn),
        signal.SIGINT,  # fast shutdown: SIGTERM would wait for every client to leave
        30.0,
        find_server_account(),
    )


def describe_valkey(site: Installation) -> ProcessSpec:
    port, password = site.ports["valkey"], site.secrets["valkey"]
    return ProcessSpec(
        "valkey",
        "cache",
        valkey.make_server_command(site.home / "valkey", port, password),
        environment.list_base_environment(site.environ),
        port,
        partial(valkey.accepts_connections, valkey.make_url(port, password)),
    )


def describe_service(site: Installation, service: str) -> ProcessSpec:
    port = site.ports[service]
    target = [f"microservices.{service}.main:create", "--factory", "--port", str(port)]
    # Whoever speaks to the gateway is a stranger: what they say of where they come from is not believed.
    trust = ["--no-proxy-headers"] if service == "api_gateway" else []
    return ProcessSpec(
        service,
        "service",
        [sys.executable, "-m", "uvicorn", *target, *UVICORN, *trust],
        site.list_environment(service),
        port,
        partial(answers_http, port, "/health"),
    )


def describe_django(site: Installation) -> ProcessSpec:
    port = site.ports["django"]
    target = ["django_app.config.asgi:application", "--port", str(port)]
    return ProcessSpec(
        "django",
        "django",
        [sys.executable, "-m", "uvicorn", *target, *UVICORN],
        site.list_environment("django") | environment.list_console_environment(site.home, site.tokens),
        port,
        partial(answers_http, port, "/health"),
    )


def describe_worker(site: Installation, name: str, owner: str, app: str) -> ProcessSpec:
    schedule = str(site.home / f"{name}.schedule")
    broker = environment.make_broker_url(owner, site.secrets, site.ports)
    threads = ["--concurrency", str(THREADS[name])]
    return ProcessSpec(
        name,
        "worker",
        [sys.executable, "-m", "celery", "-A", app, *CELERY, *threads, "-n", f"{name}@%h", "-s", schedule],
        site.list_environment(owner),
        is_ready=partial(awaits_tasks, broker, environment.BROKER_DATABASES[owner]),
    )


def describe_sandbox(site: Installation) -> ProcessSpec:
    """A foreign site: it gets none of the platform's variables."""
    port, directory = site.ports["sandbox_site"], site.home / "sandbox"
    options = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(directory / "site")]
    variables = environment.list_base_environment(site.environ)
    return ProcessSpec(
        "sandbox_site",
        "sandbox",
        [sys.executable, "-m", "sandbox.cloudgene", *options, "--accounts", str(directory / "accounts.json")],
        variables | environment.list_prefixed(site.environ, "SANDBOX"),
        port,
        partial(answers_http, port, "/api/v2/server"),
    )


def describe_wes_site(site: Installation) -> ProcessSpec:
    """Foreign too, and with an environment of its own; it imputes with the panels of the other sandbox site."""
    port, directory = site.ports["sandbox_wes"], site.home / "sandbox"
    options = ["--host", "127.0.0.1", "--port", str(port), "--data-dir", str(directory / "wes")]
    options += ["--panels", str(directory / "site" / "panels"), "--accounts", str(directory / "accounts.json")]
    # Its jobs are small and are to be seen at work: chunks as the other sandbox site cuts them.
    options += ["--venv", str(WES_ENVIRONMENT), "--chunk-size", "500000", "--overlap", "150000"]
    variables = environment.list_base_environment(site.environ)
    return ProcessSpec(
        "sandbox_wes",
        "sandbox",
        [sys.executable, "-m", "sandbox.wes", *options],
        variables | environment.list_prefixed(site.environ, "SANDBOX"),
        port,
        partial(answers_http, port, "/service-info"),
    )


def list_migrations(site: Installation) -> list[ProcessSpec]:
    variables = environment.list_migration_environment(site.environ, site.secrets, site.ports)
    migrate = [sys.executable, "-m", "microservices.kernel.migrations", *SERVICES]
    django = [sys.executable, "-m", "django_app.manage", "migrate", "--no-input"]
    return [
        ProcessSpec("migrate_services", "task", migrate, variables),
        ProcessSpec("migrate_django", "task", django, site.list_environment("django")),
    ]


def list_account_tasks(site: Installation) -> list[ProcessSpec]:
    people, staff = describe_accounts(site.secrets), describe_staff(site.secrets)
    users = [sys.executable, "-m", "microservices.user_service.bootstrap"]
    django = [sys.executable, "-m", "django_app.manage", "ensure_staff"]
    return [
        ProcessSpec(
            "bootstrap_users",
            "task",
            users,
            site.list_environment("user_service"),
            stdin=json.dumps(people).encode(),
        ),
        ProcessSpec(
            "bootstrap_staff",
            "task",
            django,
            site.list_environment("django"),
            stdin=json.dumps(staff).encode(),
        ),
    ]
