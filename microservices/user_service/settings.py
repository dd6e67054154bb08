"""Settings of the authorisation server, from `USER_SERVICE_…`."""

from pydantic import Field, SecretStr

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("USER_SERVICE_")

    # It calls nobody, so it needs no service token of its own.
    client_secret: SecretStr = SecretStr("")
    encryption_keys: SecretStr
    client_secrets: dict[str, SecretStr] = Field(default_factory=dict)
