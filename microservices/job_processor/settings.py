from pathlib import Path

from pydantic import Field, SecretStr

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("JOB_PROCESSOR_")

    broker_url: SecretStr
    encryption_keys: SecretStr
    spool_dir: Path
    """Where results rest between a site and file_manager; what is lost here is fetched again."""
    registry_url: str = Field(default="http://127.0.0.1:8002", validation_alias="SERVICE_REGISTRY_URL")
    files_url: str = Field(default="http://127.0.0.1:8004", validation_alias="FILE_MANAGER_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")
