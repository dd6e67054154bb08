"""The settings of a job_processor among stubs, and the environment of a worker or a server that has them."""

import os
from pathlib import Path

from cryptography.fernet import Fernet
from pydantic import SecretStr

from microservices.job_processor.settings import Settings


def make_settings(
    database_url: str, redis_url: str, peers_url: str, folder: Path, *, log_level: str = "INFO"
) -> Settings:
    """All of our other services are at `peers_url`; the broker is a database of its own of the same Redis."""
    return Settings(
        database_url=SecretStr(database_url),
        client_secret=SecretStr("unused"),
        redis_url=SecretStr(redis_url),
        authority_url=peers_url,
        broker_url=SecretStr(f"{redis_url.rsplit('/', 1)[0]}/5"),
        encryption_keys=SecretStr(Fernet.generate_key().decode()),
        spool_dir=folder / "spool",
        registry_url=peers_url,
        files_url=peers_url,
        notification_url=peers_url,
        log_level=log_level,
    )


def list_environment(settings: Settings) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "ENVIRONMENT": "local",
        "LOG_LEVEL": settings.log_level,
        "REDIS_URL": settings.redis_url.get_secret_value(),
        "USER_SERVICE_URL": settings.authority_url,
        "SERVICE_REGISTRY_URL": settings.registry_url,
        "FILE_MANAGER_URL": settings.files_url,
        "NOTIFICATION_URL": settings.notification_url,
        "JOB_PROCESSOR_DATABASE_URL": settings.database_url.get_secret_value(),
        "JOB_PROCESSOR_CLIENT_SECRET": "unused",
        "JOB_PROCESSOR_BROKER_URL": settings.broker_url.get_secret_value(),
        "JOB_PROCESSOR_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "JOB_PROCESSOR_SPOOL_DIR": str(settings.spool_dir),
    }
