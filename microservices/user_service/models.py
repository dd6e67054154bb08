"""The tables of user_management_db."""

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, CheckConstraint, Column, DateTime, ForeignKey, Index, Table, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from microservices.kernel.db import new_metadata


class Base(DeclarativeBase):
    metadata = new_metadata()
    type_annotation_map = {datetime: DateTime(timezone=True), dict[str, Any]: JSONB}  # noqa: RUF012


class Organization(Base):
    """A tenant. `name_key` is the name as it is compared; personal ones may share it with a named one."""

    __tablename__ = "organizations"
    __table_args__ = (
        Index("uq_organizations_name_key", "name_key", unique=True, postgresql_where=text("NOT is_personal")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    name: Mapped[str]
    name_key: Mapped[str]
    is_personal: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


user_roles = Table(
    "user_roles",
    Base.metadata,
    Column("user_id", ForeignKey("users.id", ondelete="CASCADE"), primary_key=True),
    Column("role", ForeignKey("roles.name"), primary_key=True),
)


class Permission(Base):
    """One thing that a role may do, for people and their user interfaces to see."""

    __tablename__ = "permissions"

    role: Mapped[str] = mapped_column(ForeignKey("roles.name", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)


class Role(Base):
    __tablename__ = "roles"

    name: Mapped[str] = mapped_column(primary_key=True)
    description: Mapped[str]
    permissions: Mapped[list[Permission]] = relationship(lazy="selectin")


class User(Base):
    """An account. `email` is normalised and in lower case, so that it is unique whatever its letters' case."""

    __tablename__ = "users"
    __table_args__ = (Index("uq_users_email", "email", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), index=True)
    email: Mapped[str]
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str]
    tier: Mapped[str]
    is_active: Mapped[bool] = mapped_column(server_default=text("true"), default=True)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())

    organization: Mapped[Organization] = relationship(lazy="joined", innerjoin=True)
    profile: Mapped["UserProfile"] = relationship(lazy="joined", innerjoin=True)
    roles: Mapped[list[Role]] = relationship(secondary=user_roles, lazy="selectin", order_by="Role.name")
    second_factor: Mapped["SecondFactor | None"] = relationship(lazy="joined")

    @property
    def role_names(self) -> list[str]:
        return [role.name for role in self.roles]

    @property
    def has_second_factor(self) -> bool:
        return self.second_factor is not None and self.second_factor.confirmed_at is not None


class UserProfile(Base):
    """What people say of themselves; nothing here decides what they may do."""

    __tablename__ = "user_profiles"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    full_name: Mapped[str]
    affiliation: Mapped[str | None]
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class SecondFactor(Base):
    """An authenticator app (TOTP, RFC 6238); asked for at log-ins once its owner has confirmed it with a code.

    `secret` is encrypted. `last_step`: the 30 s step of the newest code that was taken, since none is taken twice.
    `wrong_codes` counts from `wrong_since` on; here and not in Redis, because six digits are guessed without it.
    """

    __tablename__ = "second_factors"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[str]
    confirmed_at: Mapped[datetime | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    wrong_codes: Mapped[int] = mapped_column(server_default=text("0"), default=0)
    wrong_since: Mapped[datetime | None]


class RecoveryCode(Base):
    """Stands in for a code of the app, once; stored as `logic/recovery_codes.py` hashes it."""

    __tablename__ = "recovery_codes"

    user_id: Mapped[UUID] = mapped_column(ForeignKey("second_factors.user_id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime | None]


class LoginSession(Base):
    """One log-in and the family of refresh tokens that follow from it; its id is the `sid` of the access tokens."""

    __tablename__ = "login_sessions"
    __table_args__ = (
        Index("ix_login_sessions_revoked_at", "revoked_at", postgresql_where=text("revoked_at IS NOT NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    user: Mapped[User] = relationship()


class RefreshToken(Base):
    """Only the SHA-256 is stored: the tokens have 256 random bits, so nothing slower is needed.

    `successor_seed` makes the next token of this one, and only whoever holds this one can make it.
    """

    __tablename__ = "refresh_tokens"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("login_sessions.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    successor_seed: Mapped[str | None] = mapped_column(Text)


class SigningKey(Base):
    """A key of the platform: published while it is here and not past `published_until`, signing from `signs_from`."""

    __tablename__ = "signing_keys"

    kid: Mapped[str] = mapped_column(primary_key=True)
    private_key: Mapped[str]
    public_jwk: Mapped[dict[str, Any]]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    signs_from: Mapped[datetime]
    published_until: Mapped[datetime | None]


class SiteCredentialRow(Base):
    """A person's own credential for an imputation site, encrypted."""

    __tablename__ = "site_credentials"
    __table_args__ = (Index("uq_site_credentials_owner_service", "owner_id", "service_id", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    organization_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    service_id: Mapped[UUID]
    credential: Mapped[str]
    set_at: Mapped[datetime]


class AuditLog(Base):
    """Who did what, and from where. Never a secret, nor what somebody typed into a log-in form."""

    __tablename__ = "audit_logs"
    __table_args__ = (
        CheckConstraint(
            "action IN ('registered', 'provisioned', 'logged_in', 'login_failed', 'refresh_reused',"
            " 'credential_set', 'credential_deleted', 'credential_used', 'logged_out', 'mfa_enabled', 'mfa_disabled',"
            " 'mfa_reset', 'recovery_codes_made', 'recovery_code_used', 'proof_failed')",
            name="action_known",
        ),
        Index("ix_audit_logs_owner_id_occurred_at", "owner_id", "occurred_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    occurred_at: Mapped[datetime] = mapped_column(server_default=func.now(), index=True)
    action: Mapped[str]
    actor: Mapped[str]
    # No foreign keys: the log outlives what it speaks of.
    organization_id: Mapped[UUID | None]
    owner_id: Mapped[UUID | None]
    request_id: Mapped[str]
    address: Mapped[str]
    details: Mapped[dict[str, Any]]
