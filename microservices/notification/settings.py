"""Settings of notification (`NOTIFICATION_…`)."""

from pydantic import Field

from microservices.kernel.settings import ServiceSettings, settings_config


class Settings(ServiceSettings):
    model_config = settings_config("NOTIFICATION_")

    allowed_origins: list[str] = Field(default_factory=list)
    """Origins whose pages may listen to live events, besides that of `PUBLIC_URL`."""
    first_message_s: float = Field(default=5, gt=0)
    live_days: float = Field(default=7, gt=0)
    live_queue: int = Field(default=256, ge=1)
    """How many events may wait for a client that does not take them, before it is let go."""
    live_send_s: float = Field(default=20, gt=0)
    live_connections_per_person: int = Field(default=50, ge=1)
