"""The environment of each process: what all share, and of secrets only its owner's own."""

import json
from collections.abc import Mapping
from pathlib import Path

from imputehub.local import valkey
from imputehub.local.control import Tokens, choose_socket_path
from imputehub.local.credentials import OWNERS, SERVICES, Secrets, list_databases
from imputehub.local.postgresql import make_sqlalchemy_url

# Of the environment that the platform is started from, only what programs in general need.
INHERITED = (
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "LD_LIBRARY_PATH",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)
SHARED_DEFAULTS = {"ENVIRONMENT": "local", "LOG_LEVEL": "INFO"}
BROKER_DATABASES = {"job_processor": 1, "django": 2}


def list_base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """For programs that belong to no owner. Few malloc arenas, because a thread's arena is never given back."""
    inherited = {name: environ[name] for name in INHERITED if name in environ}
    return {"PYTHONUNBUFFERED": "1", "MALLOC_ARENA_MAX": "2", **inherited}


def list_shared_environment(environ: Mapping[str, str], secret: Secrets, ports: Mapping[str, int]) -> dict[str, str]:
    shared = {
        **SHARED_DEFAULTS,
        "PUBLIC_URL": make_http_url(ports["api_gateway"]),
        "REDIS_URL": valkey.make_url(ports["valkey"], secret["valkey"]),
        **{f"{owner.upper()}_URL": make_http_url(ports[owner]) for owner in OWNERS},
    }
    return list_base_environment(environ) | {name: environ.get(name, value) for name, value in shared.items()}


def make_http_url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def list_database_urls(environ: Mapping[str, str], secret: Secrets, ports: Mapping[str, int]) -> dict[str, str]:
    """Per owner; `<OWNER>_DATABASE_URL` in the environment points that owner at a server elsewhere."""
    embedded = {
        database.role: make_sqlalchemy_url(database, ports["postgresql"]) for database in list_databases(secret)
    }
    return {owner: environ.get(f"{owner.upper()}_DATABASE_URL", url) for owner, url in embedded.items()}


def list_owner_environment(
    owner: str, environ: Mapping[str, str], secret: Secrets, ports: Mapping[str, int], home: Path
) -> dict[str, str]:
    """All variables of an owner's processes. What the platform is started with under its prefix wins."""
    prefix = owner.upper()
    own = {
        f"{prefix}_DATABASE_URL": list_database_urls(environ, secret, ports)[owner],
        f"{prefix}_CLIENT_SECRET": secret[f"client:{owner}"],
        f"{prefix}_ENCRYPTION_KEYS": secret[f"encryption:{owner}"],
        **_list_special(owner, secret, home),
    }
    if owner in BROKER_DATABASES:
        own[f"{prefix}_BROKER_URL"] = make_broker_url(owner, secret, ports)
    shared = list_shared_environment(environ, secret, ports)
    return shared | own | list_prefixed(environ, prefix)


def list_prefixed(environ: Mapping[str, str], prefix: str) -> dict[str, str]:
    foreign = "DJANGO_SETTINGS_MODULE"  # of whatever other project the shell was used for
    return {name: environ[name] for name in environ if name.startswith(f"{prefix}_") and name != foreign}


def make_broker_url(owner: str, secret: Secrets, ports: Mapping[str, int]) -> str:
    return valkey.make_url(ports["valkey"], secret["valkey"], BROKER_DATABASES[owner])


def _list_special(owner: str, secret: Secrets, home: Path) -> dict[str, str]:
    clients = {client: secret[f"client:{client}"] for client in OWNERS}
    special = {
        "user_service": {"USER_SERVICE_CLIENT_SECRETS": json.dumps(clients)},
        "file_manager": {
            "FILE_MANAGER_STORAGE_URL": (home / "storage").as_uri(),
            "FILE_MANAGER_URL_SIGNING_KEYS": f"k1:{secret['url_signing']}",
        },
        "job_processor": {"JOB_PROCESSOR_SPOOL_DIR": str(home / "spool")},
        "django": {"DJANGO_SECRET_KEY": secret["django_key"]},
    }
    return special.get(owner, {})


def list_console_environment(home: Path, tokens: Tokens) -> dict[str, str]:
    """For the one process whose pages look at the others and restart them."""
    return {"SUPERVISOR_SOCKET": str(choose_socket_path(home)), "SUPERVISOR_TOKEN": tokens.console}


def list_migration_environment(environ: Mapping[str, str], secret: Secrets, ports: Mapping[str, int]) -> dict[str, str]:
    """For the one process that migrates all seven services."""
    urls = list_database_urls(environ, secret, ports)
    own = {f"{owner.upper()}_DATABASE_URL": urls[owner] for owner in SERVICES}
    return list_shared_environment(environ, secret, ports) | own
