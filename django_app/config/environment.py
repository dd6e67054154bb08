"""What the process is told by its environment.

Everything has a default, so that settings can be imported by type checkers and `makemigrations`; what a running
process cannot do without is asked for by `require_complete`, which every entry point calls first.
"""

from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_REQUIRED = ("secret_key", "database_url", "broker_url", "client_secret", "encryption_keys")


class IncompleteEnvironmentError(Exception):
    """The process was started without settings that it needs; the message names them."""


class Environment(BaseSettings):
    """`DJANGO_…` belongs to this process alone; names without the prefix mean the same to all of the platform."""

    model_config = SettingsConfigDict(env_prefix="DJANGO_", populate_by_name=True, extra="ignore", frozen=True)

    secret_key: SecretStr = SecretStr("")
    database_url: SecretStr = SecretStr("")
    broker_url: SecretStr = SecretStr("")
    client_secret: SecretStr = SecretStr("")
    encryption_keys: SecretStr = SecretStr("")

    environment: Literal["local", "production"] = Field(default="production", validation_alias="ENVIRONMENT")
    log_level: str = Field(default="INFO", validation_alias="LOG_LEVEL")
    public_url: str = Field(default="http://127.0.0.1:8000", validation_alias="PUBLIC_URL")
    redis_url: SecretStr = Field(default=SecretStr(""), validation_alias="REDIS_URL")
    """Where log-outs are heard of; without it a token is good to its end."""
    supervisor_socket: str = Field(default="", validation_alias="SUPERVISOR_SOCKET")
    """Of the local supervisor, which restarts processes and has their logs; empty where something else does that."""
    supervisor_token: SecretStr = Field(default=SecretStr(""), validation_alias="SUPERVISOR_TOKEN")
    kubernetes_host: str = Field(default="", validation_alias="KUBERNETES_SERVICE_HOST")
    own_url: str = Field(default="http://127.0.0.1:8010", validation_alias="DJANGO_URL")
    authority_url: str = Field(default="http://127.0.0.1:8001", validation_alias="USER_SERVICE_URL")
    registry_url: str = Field(default="http://127.0.0.1:8002", validation_alias="SERVICE_REGISTRY_URL")
    gateway_url: str = Field(default="http://127.0.0.1:8000", validation_alias="API_GATEWAY_URL")
    job_processor_url: str = Field(default="http://127.0.0.1:8003", validation_alias="JOB_PROCESSOR_URL")
    file_manager_url: str = Field(default="http://127.0.0.1:8004", validation_alias="FILE_MANAGER_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")
    monitoring_url: str = Field(default="http://127.0.0.1:8006", validation_alias="MONITORING_URL")

    @property
    def service_urls(self) -> dict[str, str]:
        """Name → base address of every service of ours, this one included."""
        return {
            "api_gateway": self.gateway_url,
            "user_service": self.authority_url,
            "service_registry": self.registry_url,
            "job_processor": self.job_processor_url,
            "file_manager": self.file_manager_url,
            "notification": self.notification_url,
            "monitoring": self.monitoring_url,
            "django": self.own_url,
        }

    @property
    def public_origin(self) -> str:
        """Scheme and host of the public address, as browsers send them in `Origin`."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host_names(self) -> list[str]:
        """The names under which this process is reached: locally, through the gateway, by the other services."""
        given = [urlsplit(url).hostname for url in (self.public_url, self.own_url)]
        return sorted({"127.0.0.1", "localhost", "[::1]", *(name for name in given if name)})

    def require_complete(self) -> None:
        missing = [f"DJANGO_{name.upper()}" for name in _REQUIRED if not getattr(self, name).get_secret_value()]
        if missing:
            raise IncompleteEnvironmentError(
                f"Not set: {', '.join(missing)}. `imputehub up` sets them; .env.microservices explains each."
            )


def read_database_url(url: str) -> dict[str, dict[str, Any]]:
    """Django's DATABASES of `postgresql+psycopg2://role:password@host:port/name?option=value`; none without a URL."""
    if not url:
        return {}
    parts = urlsplit(url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "OPTIONS": {"connect_timeout": "5", "application_name": "django", **dict(parse_qsl(parts.query))},
    }
    return {"default": database}
