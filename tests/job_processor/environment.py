"""A job worker's environment, from the settings of the service that it works for."""

import os

from microservices.job_processor.settings import Settings


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
