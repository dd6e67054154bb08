"""Settings of the authorisation server, from `USER_SERVICE_…`."""

from pydantic import Field, SecretStr

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("USER_SERVICE_")

    # It calls nobody, so it needs no service token of its own.
    client_secret: SecretStr = SecretStr("")
    job_processor_url: str = Field(default="http://127.0.0.1:8003", validation_alias="JOB_PROCESSOR_URL")
    notification_url: str = Field(default="http://127.0.0.1:8005", validation_alias="NOTIFICATION_URL")
    encryption_keys: SecretStr
    client_secrets: dict[str, SecretStr] = Field(default_factory=dict)
