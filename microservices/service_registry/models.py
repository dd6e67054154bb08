"""The registry's tables. What Django curates is copied here; health is the registry's own."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, column_property, mapped_column, relationship

from microservices.kernel.db import new_metadata

_Time = sa.DateTime(timezone=True)
_PRIVATE_CONFIG = {"output_root", "token_url"}
_STATUSES = "health_status IN ('healthy', 'degraded', 'unhealthy', 'unknown')"


class Base(DeclarativeBase):
    metadata = new_metadata()


class ImputationService(Base):
    """A site. A probe holds `claim_id` until `claimed_until`; a result under another claim is of another address.

    `offline_since`: the first of the unbroken row of failures that lasts; `answering_since`: the first answer of one
    that long silence has switched off. `version` is its software's, `api_version` of the interface, by its own word.
    """

    __tablename__ = "imputation_services"
    __table_args__ = (
        sa.CheckConstraint(_STATUSES, name="health_status"),
        sa.Index("ix_imputation_services_due", "next_check_at", postgresql_where=sa.text("is_active")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.Text)
    service_type: Mapped[str] = mapped_column(sa.Text)
    api_type: Mapped[str] = mapped_column(sa.Text)
    base_url: Mapped[str] = mapped_column(sa.Text)
    location: Mapped[str] = mapped_column(sa.Text)
    country: Mapped[str] = mapped_column(sa.Text)
    requires_auth: Mapped[bool]
    credential_encrypted: Mapped[str | None] = mapped_column(sa.Text)
    credential_shared: Mapped[bool]
    ca_pem: Mapped[str | None] = mapped_column(sa.Text)
    api_config: Mapped[dict[str, Any]] = mapped_column(JSONB)
    is_active: Mapped[bool]
    max_file_size_mb: Mapped[int | None]
    supported_formats: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    min_samples: Mapped[int | None]
    max_samples: Mapped[int | None]

    health_status: Mapped[str] = mapped_column(sa.Text, server_default="unknown")
    is_available: Mapped[bool] = mapped_column(server_default=sa.false())
    response_time_ms: Mapped[float | None]
    error_message: Mapped[str | None] = mapped_column(sa.Text)
    last_health_check: Mapped[datetime | None] = mapped_column(_Time)
    offline_since: Mapped[datetime | None] = mapped_column(_Time)
    answering_since: Mapped[datetime | None] = mapped_column(_Time)
    auto_deactivated_at: Mapped[datetime | None] = mapped_column(_Time)
    version: Mapped[str | None] = mapped_column(sa.Text)
    api_version: Mapped[str | None] = mapped_column(sa.Text)
    capabilities: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    """What the platform can count on there (`backends.description.Capabilities`); None: it was never told."""

    next_check_at: Mapped[datetime] = mapped_column(_Time, server_default=sa.func.now())
    claim_id: Mapped[UUID | None]
    claimed_until: Mapped[datetime | None] = mapped_column(_Time)

    created_at: Mapped[datetime] = mapped_column(_Time, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(_Time, server_default=sa.func.now())

    @property
    def is_in_use(self) -> bool:
        """Neither switched off by a curator nor by long silence: new runs may choose it."""
        return self.is_active and self.auto_deactivated_at is None

    @property
    def has_credential(self) -> bool:
        return self.credential_encrypted is not None

    @property
    def has_custom_ca(self) -> bool:
        return self.ca_pem is not None

    @property
    def public_config(self) -> dict[str, Any]:
        """Without what tells of the platform's own insides."""
        return {name: value for name, value in self.api_config.items() if name not in _PRIVATE_CONFIG}


class ReferencePanel(Base):
    """A panel of one site; `panel_id` is the site's own id for it."""

    __tablename__ = "reference_panels"
    __table_args__ = (sa.CheckConstraint("build IN ('hg19', 'hg38')", name="build"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    service_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ImputationService.id, ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(sa.Text)
    panel_id: Mapped[str] = mapped_column(sa.Text)
    populations: Mapped[list[str]] = mapped_column(ARRAY(sa.Text))
    build: Mapped[str] = mapped_column(sa.Text)
    samples_count: Mapped[int | None] = mapped_column(sa.BigInteger)
    variants_count: Mapped[int | None] = mapped_column(sa.BigInteger)
    is_active: Mapped[bool]
    recipe: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(_Time, server_default=sa.func.now())
    updated_at: Mapped[datetime] = mapped_column(_Time, server_default=sa.func.now())

    service: Mapped[ImputationService] = relationship()

    @property
    def service_name(self) -> str:
        return self.service.name

    @property
    def is_in_use(self) -> bool:
        return self.is_active and self.service.is_in_use


class ServiceHealthLog(Base):
    """One probe's finding. `covers_s`: the time since the one before that it speaks for."""

    __tablename__ = "service_health_logs"
    __table_args__ = (
        sa.CheckConstraint(_STATUSES, name="health_status"),
        sa.Index("ix_service_health_logs_history", "service_id", "checked_at", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=sa.func.gen_random_uuid())
    service_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ImputationService.id, ondelete="CASCADE"))
    checked_at: Mapped[datetime] = mapped_column(_Time, index=True)
    health_status: Mapped[str] = mapped_column(sa.Text)
    is_available: Mapped[bool]
    response_time_ms: Mapped[float | None]
    message: Mapped[str] = mapped_column(sa.Text)
    covers_s: Mapped[float]


class ServiceHealthDay(Base):
    """A day (UTC) of a site's history, once it is over: how often it was found how, and for how long (seconds)."""

    __tablename__ = "service_health_days"
    __table_args__ = (sa.UniqueConstraint("service_id", "day"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=sa.func.gen_random_uuid())
    service_id: Mapped[UUID] = mapped_column(sa.ForeignKey(ImputationService.id, ondelete="CASCADE"))
    day: Mapped[date]
    checks: Mapped[int]
    healthy: Mapped[int]
    degraded: Mapped[int]
    unhealthy: Mapped[int]
    unknown: Mapped[int]
    watched_s: Mapped[float]
    available_s: Mapped[float]
    response_min_ms: Mapped[float | None]
    response_median_ms: Mapped[float | None]
    response_max_ms: Mapped[float | None]

    @property
    def availability(self) -> float | None:
        return self.available_s / self.watched_s if self.watched_s else None


class CredentialAccess(Base):
    """Who was given a site's curated credential, for which run. No foreign key: it outlives the site."""

    __tablename__ = "credential_accesses"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=sa.func.gen_random_uuid())
    service_id: Mapped[UUID] = mapped_column(index=True)
    run_id: Mapped[UUID]
    client_id: Mapped[str] = mapped_column(sa.Text)
    accessed_at: Mapped[datetime] = mapped_column(_Time, server_default=sa.func.now())


# Deferred: only the public lists want it, the sweep does not.
ImputationService.panels_count = column_property(
    sa.select(sa.func.count())
    .where(ReferencePanel.service_id == ImputationService.id, ReferencePanel.is_active)
    .correlate_except(ReferencePanel)
    .scalar_subquery(),
    deferred=True,
)
