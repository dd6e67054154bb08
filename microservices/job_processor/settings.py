from pathlib import Path

from pydantic import Field, SecretStr

from microservices.backends.base import BucketAccess
from microservices.job_processor.limits import Limits, TierLimits
from microservices.kernel.settings import ServiceSettings, settings_config

_TIB = 1 << 40
_QUOTAS = {
    "local": TierLimits(),
    "development": TierLimits(
        person=Limits(running_runs=200, jobs_per_month=2000, input_bytes_per_month=_TIB),
        organization=Limits(running_runs=1000, jobs_per_month=10_000, input_bytes_per_month=5 * _TIB),
    ),
    "standard": TierLimits(
        person=Limits(running_runs=50, jobs_per_month=500, input_bytes_per_month=_TIB),
        organization=Limits(running_runs=250, jobs_per_month=2500, input_bytes_per_month=5 * _TIB),
    ),
    "extended": TierLimits(
        person=Limits(running_runs=200, jobs_per_month=2000, input_bytes_per_month=5 * _TIB),
        organization=Limits(running_runs=1000, jobs_per_month=10_000, input_bytes_per_month=20 * _TIB),
    ),
}


class Settings(ServiceSettings):
    model_config = settings_config("JOB_PROCESSOR_")

    broker_url: SecretStr
    encryption_keys: SecretStr
    spool_dir: Path
    """Where results rest between a site and file_manager; what is lost here is fetched again."""
    registry_url: str = Field(default="http://127.0.0.1:8002", validation_alias="SERVICE_REGISTRY_URL")
    files_url: str = Field(default="http://127.0.0.1:8004", validation_alias="FILE_MANAGER_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")
    bucket_access: BucketAccess | None = None
    """Of results that sites put into a bucket: JSON with `access_key_id`, `secret_access_key`, `endpoint`, `region`."""
    quotas: dict[str, TierLimits] = Field(default_factory=dict)
    """By tier, over those above; a tier that is not named has what `standard` has. An administrator's come before."""

    def limit_tier(self, tier: str) -> TierLimits:
        known = _QUOTAS | self.quotas
        return known.get(tier, known["standard"])
