"""What the curation API takes and gives."""

from copy import copy
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError as RuleError
from django.db.models import Model
from rest_framework import serializers
from rest_framework.fields import get_error_detail

from django_app.imputation.models import ImputationService, ReferencePanel
from django_app.imputation.validation import validate_credential, validate_recipients
from django_app.outbox.models import Subject
from django_app.outbox.states import STATES

if TYPE_CHECKING:
    from typing import TypeVar

    M = TypeVar("M", bound=Model)
    ServiceBase = serializers.ModelSerializer[ImputationService]
    PanelBase = serializers.ModelSerializer[ReferencePanel]
    SyncBase = serializers.ModelSerializer[Subject]
    StrictBase = serializers.ModelSerializer[Any]
    ReportBase = serializers.Serializer[Any]
else:
    ServiceBase = PanelBase = SyncBase = StrictBase = serializers.ModelSerializer
    ReportBase = serializers.Serializer


class StrictSerializer(StrictBase):
    """Refuses fields that it does not know, and applies the model's own rules (`clean`) to the whole."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError({str(name)[:100]: ["This field is not known."] for name in unknown})
        return super().to_internal_value(data)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        model: type[Model] = self.Meta.model
        candidate = copy(self.instance) if self.instance else model()
        for name, value in attrs.items():
            if name != "credential":
                setattr(candidate, name, value)
        try:
            candidate.clean()
        except RuleError as error:
            raise serializers.ValidationError(get_error_detail(error)) from error
        return attrs


class ServiceSerializer(StrictSerializer):
    credential = serializers.CharField(
        write_only=True,
        required=False,
        allow_null=True,
        allow_blank=True,
        max_length=8000,
        validators=[validate_credential],
        help_text="Written only; null or empty takes it away.",
    )
    panels_count = serializers.IntegerField(source="panel_total", read_only=True)
    sync_state = serializers.ChoiceField(choices=list(STATES), read_only=True)
    sync_error = serializers.CharField(read_only=True, allow_null=True)

    class Meta:
        model = ImputationService
        fields = (
            "id",
            "name",
            "service_type",
            "api_type",
            "base_url",
            "location",
            "country",
            "requires_auth",
            "credential",
            "credential_set_at",
            "credential_shared",
            "ca_pem",
            "api_config",
            "is_active",
            "max_file_size_mb",
            "supported_formats",
            "min_samples",
            "max_samples",
            "panels_count",
            "sync_state",
            "sync_error",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("credential_set_at",)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if self.instance and self.instance.credential and "credential" not in attrs:
            before = vars(self.instance)
            try:
                validate_recipients(before, {**before, **attrs})
            except RuleError as error:
                raise serializers.ValidationError({"credential": error.messages}) from error
        return super().validate(attrs)

    def create(self, validated_data: dict[str, Any]) -> ImputationService:
        return self.update(ImputationService(), validated_data)

    def update(self, instance: ImputationService, validated_data: dict[str, Any]) -> ImputationService:
        if "credential" in validated_data:
            instance.set_credential(validated_data.pop("credential") or "")
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save()
        return instance


class PanelSerializer(StrictSerializer):
    service = serializers.PrimaryKeyRelatedField(
        queryset=ImputationService.objects.all(), pk_field=serializers.UUIDField()
    )

    class Meta:
        model = ReferencePanel
        fields = (
            "id",
            "service",
            "name",
            "panel_id",
            "populations",
            "build",
            "samples_count",
            "variants_count",
            "is_active",
            "recipe",
            "withdrawn_at",
            "created_at",
            "updated_at",
        )


class SyncSerializer(SyncBase):
    """How far the registry is with one site; a deleted site is listed until the registry knows of it."""

    service_id = serializers.UUIDField(source="site_id", read_only=True)
    name = serializers.CharField(source="site_name", read_only=True, allow_null=True)
    state = serializers.ChoiceField(source="sync_state", choices=list(STATES), read_only=True)
    parked = serializers.SerializerMethodField()
    error = serializers.CharField(source="sync_error", read_only=True, allow_null=True)
    attempts = serializers.IntegerField(source="sync_attempts", read_only=True, allow_null=True)
    next_attempt_at = serializers.DateTimeField(source="sync_next_attempt_at", read_only=True, allow_null=True)
    delivered_at = serializers.DateTimeField(source="sync_delivered_at", read_only=True, allow_null=True)

    class Meta:
        model = Subject
        fields = (
            "service_id",
            "name",
            "version",
            "state",
            "parked",
            "error",
            "attempts",
            "changed_at",
            "next_attempt_at",
            "delivered_at",
        )

    def get_parked(self, row: Any) -> bool:
        return row.sync_parked_at is not None


class CredentialCheckSerializer(ReportBase):
    valid = serializers.BooleanField()
    message = serializers.CharField()
    account = serializers.CharField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)


class ConnectionSerializer(ReportBase):
    """What a test of a site's connection found; `credential` is null where none was tried."""

    service_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=["healthy", "degraded", "unhealthy"])
    response_time_ms = serializers.FloatField(allow_null=True)
    version = serializers.CharField(allow_null=True)
    tls = serializers.CharField(allow_blank=True)
    message = serializers.CharField(allow_blank=True)
    fix = serializers.CharField(allow_blank=True)
    credential = CredentialCheckSerializer(allow_null=True)
    tested_at = serializers.DateTimeField()
