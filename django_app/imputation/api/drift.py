"""Does the registry hold what is curated here? And mending it: `imputehub catalog check` and `repair`."""

from typing import TYPE_CHECKING, Any, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from django_app.imputation.drift.comparison import find_drift
from django_app.imputation.drift.findings import Kind
from django_app.imputation.drift.repair import repair_drift

if TYPE_CHECKING:
    Plain = serializers.Serializer[Any]
else:
    Plain = serializers.Serializer

_KINDS = list(cast("Any", Kind).__args__)


class FindingSerializer(Plain):
    """A site that is not the same on both sides; `pending` ones are on their way and will be."""

    service_id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(choices=_KINDS)
    version = serializers.IntegerField(allow_null=True)
    registry_version = serializers.IntegerField(allow_null=True)
    message = serializers.CharField()
    differences = serializers.ListField(child=serializers.CharField())


class DriftSerializer(Plain):
    checked_at = serializers.DateTimeField()
    sites = serializers.IntegerField()
    in_sync = serializers.BooleanField()
    findings = FindingSerializer(many=True)


class RepairSerializer(Plain):
    """What was done about one finding; `version` is the one that is being told."""

    finding = FindingSerializer()
    action = serializers.ChoiceField(choices=["sent", "removed", "left"])
    version = serializers.IntegerField(allow_null=True)


class RepairsSerializer(Plain):
    sites = serializers.IntegerField()
    repairs = RepairSerializer(many=True)


class RepairRequestSerializer(Plain):
    even_if_empty = serializers.BooleanField(
        default=False, help_text="Repair even though the catalogue is empty here: the registry's becomes empty too."
    )


class DriftView(APIView):
    @extend_schema(operation_id="drift_retrieve", responses={200: DriftSerializer})
    def get(self, _request: Request) -> Response:
        """Compare all sites and panels with the registry's, by version and content."""
        comparison = find_drift()
        body = {"checked_at": timezone.now(), "sites": comparison.sites, "in_sync": comparison.in_sync}
        return Response(DriftSerializer({**body, "findings": comparison.findings}).data)


class RepairView(APIView):
    @extend_schema(operation_id="repair_create", request=RepairRequestSerializer, responses={202: RepairsSerializer})
    def post(self, request: Request) -> Response:
        """Tell the registry anew of every site that differs. The answer says of which; deliveries follow at once."""
        wish = RepairRequestSerializer(data=request.data)
        wish.is_valid(raise_exception=True)
        comparison = find_drift()
        repairs = repair_drift(comparison, even_if_empty=wish.validated_data["even_if_empty"])
        return Response(RepairsSerializer({"sites": comparison.sites, "repairs": repairs}).data, status=202)
