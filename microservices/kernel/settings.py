"""Settings that every service shares; each service adds its own in its `settings.py`.

Names without a prefix (`REDIS_URL`, `PUBLIC_URL`) mean the same to all; prefixed ones (`FILE_MANAGER_DATABASE_URL`)
belong to one service, and no other process is given them.
"""

from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def settings_config(prefix: str) -> SettingsConfigDict:
    """Configuration of a service's settings class: `prefix` such as `FILE_MANAGER_`."""
    return SettingsConfigDict(
        env_prefix=prefix, populate_by_name=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )


class ServiceSettings(BaseSettings):
    """What `create_app` needs to know of any service."""

    database_url: SecretStr
    database_pool_size: int = Field(default=10, ge=1)
    client_secret: SecretStr

    environment: Literal["local", "production"] = Field(default="production", validation_alias="ENVIRONMENT")
    log_level: str = Field(default="INFO", validation_alias="LOG_LEVEL")
    public_url: str = Field(default="http://127.0.0.1:8000", validation_alias="PUBLIC_URL")
    redis_url: SecretStr = Field(validation_alias="REDIS_URL")
    authority_url: str = Field(default="http://127.0.0.1:8001", validation_alias="USER_SERVICE_URL")
