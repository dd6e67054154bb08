"""Settings of the gateway (`API_GATEWAY_…`), and where the services behind it are."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("API_GATEWAY_")

    service_registry_url: str = Field(default="http://127.0.0.1:8002", validation_alias="SERVICE_REGISTRY_URL")
    job_processor_url: str = Field(default="http://127.0.0.1:8003", validation_alias="JOB_PROCESSOR_URL")
    file_manager_url: str = Field(default="http://127.0.0.1:8004", validation_alias="FILE_MANAGER_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")
    monitoring_url: str = Field(default="http://127.0.0.1:8006", validation_alias="MONITORING_URL")
    django_url: str = Field(default="http://127.0.0.1:8010", validation_alias="DJANGO_URL")

    cors_origins: list[str] = Field(default_factory=list)
    body_limit_bytes: int = Field(default=2 * 1024**2, ge=1024)
    connect_timeout_s: float = Field(default=2, gt=0)
    idle_timeout_s: float = Field(default=300, gt=0)
    access_log_days: int = Field(default=30, ge=1)
    live_connections: int = Field(default=5_000, ge=1)
    ui_dir: Path = Path(__file__).parents[2] / "frontend" / "dist"
    """The built user interface; where there is none, none is served."""

    @model_validator(mode="after")
    def refuse_any_origin(self) -> Self:
        if "*" in self.cors_origins:
            raise ValueError("API_GATEWAY_CORS_ORIGINS cannot be '*': requests carry log-ins, so name each origin.")
        return self

    @property
    def anonymous_tier(self) -> str:
        """The tier of callers without a token, counted by address."""
        return "development" if self.environment == "local" else "anonymous"
