"""What the registry can be told; names in the environment begin with `SERVICE_REGISTRY_` unless shared."""

from pydantic import Field, SecretStr

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("SERVICE_REGISTRY_")

    encryption_keys: SecretStr
    job_processor_url: str = Field(default="http://127.0.0.1:8003", validation_alias="JOB_PROCESSOR_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")

    probe_concurrency: int = Field(default=4000, ge=1, description="probes open at once in one process")
    slow_after_ms: float = Field(default=5000, gt=0, description="a healthy site that needs longer is degraded")
    warn_before_days: tuple[float, ...] = Field(default=(7, 1), description="before the switching off, JSON list")
    deactivate_after_days: float = Field(default=30, gt=0, description="of silence")
    reactivate_after_s: float = Field(default=3600, ge=0, description="of answers, of a site that was switched off")
    keep_checks_days: float = Field(default=30, ge=30, description="after that, a site's history is told by days")
