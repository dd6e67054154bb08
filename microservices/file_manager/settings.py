from pydantic import Field, SecretStr

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("FILE_MANAGER_")

    storage_url: str
    """Where objects are kept: `file:///…`, `s3://bucket/prefix`, `az://…`, `gs://…` (credentials as usual there)."""
    url_signing_keys: SecretStr
    """`k2:<base64>,k1:<base64>`: the first signs download links, all of them verify."""
    max_upload_size_mib: int = Field(default=500, ge=1)
    upload_idle_s: float = Field(default=30, gt=0, le=45)
    """An upload from which nothing arrives for so long is given up: before the 60 s after which the same
    Idempotency-Key may be used anew."""
    link_lifetime_s: int = Field(default=900, ge=1)
    sweep_every_s: float = Field(default=60, gt=0)
    """How often objects that no file stands for are looked for."""
    check_timeout_s: int = Field(default=1800, ge=1)
    job_processor_url: str = Field(default="http://127.0.0.1:8003", validation_alias="JOB_PROCESSOR_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")
