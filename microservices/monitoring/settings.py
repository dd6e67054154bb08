"""Settings of monitoring (`MONITORING_…`), and where the services that it watches are."""

from pydantic import Field

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("MONITORING_")

    api_gateway_url: str = Field(default="http://127.0.0.1:8000", validation_alias="API_GATEWAY_URL")
    service_registry_url: str = Field(default="http://127.0.0.1:8002", validation_alias="SERVICE_REGISTRY_URL")
    job_processor_url: str = Field(default="http://127.0.0.1:8003", validation_alias="JOB_PROCESSOR_URL")
    file_manager_url: str = Field(default="http://127.0.0.1:8004", validation_alias="FILE_MANAGER_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")
    monitoring_url: str = Field(default="http://127.0.0.1:8006", validation_alias="MONITORING_URL")
    django_url: str = Field(default="http://127.0.0.1:8010", validation_alias="DJANGO_URL")

    life_interval_s: float = Field(default=1, gt=0)
    """How often each service is asked whether it lives; `probe_interval_s`: for all of its figures."""
    probe_interval_s: float = Field(default=10, gt=0)
    probe_timeout_s: float = Field(default=5, gt=0)
    start_patience_s: float = Field(default=15, ge=0)
    """For so long after the watch began, a service that was never seen ready is still starting, and no incident."""
    keep_days: int = Field(default=7, ge=1)

    def list_services(self) -> dict[str, str]:
        """Name → base address of all that is watched."""
        return {
            "api_gateway": self.api_gateway_url,
            "user_service": self.authority_url,
            "service_registry": self.service_registry_url,
            "job_processor": self.job_processor_url,
            "file_manager": self.file_manager_url,
            "notification": self.notification_url,
            "monitoring": self.monitoring_url,
            "django": self.django_url,
        }
