"""What a curator can have done with one site over the API: try it, and bring its panels up to date."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from asgiref.sync import async_to_sync
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import ValidationError as ShapeError
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from django_app.imputation.api.serializers import ConnectionSerializer
from django_app.imputation.connection import advise, join_sentences, try_site
from django_app.imputation.models import Build, ImputationService
from django_app.imputation.panel_diff import PanelDiff, compare_panels
from django_app.imputation.panel_sync import DiffChangedError, apply_panels, ask_panels
from microservices.backends.base import SiteError, Whose
from microservices.backends.description import OfferedPanel
from microservices.kernel.crypto import DecryptionError
from microservices.kernel.errors import ConflictError, InvalidInputError, ServiceError

if TYPE_CHECKING:
    Shape = serializers.Serializer[Any]
else:
    Shape = serializers.Serializer

_TRUTHS = {"true": True, "1": True, "false": False, "0": False, "": False}


class SiteProblemError(ServiceError):
    """What stands between us and a site, with `whose` it is: 502 where only the site can mend it, else 409."""

    title = "The site cannot be asked"

    def __init__(self, message: str, *, code: str, whose: Whose, fix: str = "") -> None:
        super().__init__(join_sentences(message, fix), code=code)
        self.status = 502 if whose == "site" else 409
        self.whose = whose

    def to_problem(self, request_id: str) -> dict[str, Any]:
        return {**super().to_problem(request_id), "whose": self.whose}


class SyncRequestSerializer(Shape):
    """`fingerprint` of the differences that were shown; `accept` their keys (those proposed, where it is left out);
    `builds` by panel id, for panels whose build the site does not tell."""

    fingerprint = serializers.CharField(required=False, max_length=64)
    accept = serializers.ListField(child=serializers.CharField(max_length=1000), required=False, max_length=10_000)
    builds = serializers.DictField(child=serializers.ChoiceField(choices=Build.values), required=False)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, dict) and (unknown := sorted(set(data) - set(self.fields))):
            raise serializers.ValidationError({str(name)[:100]: ["This field is not known."] for name in unknown})
        if isinstance(data, dict) and not isinstance(data.get("fingerprint", ""), str):
            raise serializers.ValidationError({"fingerprint": ["Not a text."]})
        return super().to_internal_value(data)


class FieldDifferenceSerializer(Shape):
    key = serializers.CharField()
    field = serializers.ChoiceField(choices=["name", "populations", "build"])
    ours = serializers.CharField(allow_blank=True)
    theirs = serializers.CharField(allow_blank=True)
    curated = serializers.BooleanField(help_text="A curator wrote our value: it stays unless its key is accepted.")
    author = serializers.CharField()


class PanelDifferenceSerializer(Shape):
    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=["added", "changed", "withdrawn", "returned"])
    panel_id = serializers.CharField()
    name = serializers.CharField()
    build = serializers.CharField(allow_blank=True)
    populations = serializers.ListField(child=serializers.CharField())
    proposed = serializers.BooleanField()
    fields = FieldDifferenceSerializer(many=True)  # type: ignore[assignment]


class PanelSyncSerializer(Shape):
    service_id = serializers.UUIDField()
    fingerprint = serializers.CharField()
    differences = PanelDifferenceSerializer(many=True)
    unchanged = serializers.IntegerField()
    applied = serializers.ListField(child=serializers.CharField(), help_text="Keys; empty for a dry run.")


class ServiceActions:
    """Beside the view set in the bases of the services' one."""

    @extend_schema(request=None, responses={200: ConnectionSerializer})
    @action(detail=True, methods=["post"], url_path="test-connection")
    def test_connection(self: Any, request: Request, pk: str) -> Response:
        """Try the site from here, as it is stored; with its credential, where one is set."""
        report = async_to_sync(try_site)(self.get_object())
        return Response(ConnectionSerializer(report).data)

    @extend_schema(
        request=SyncRequestSerializer,
        responses={200: PanelSyncSerializer},
        parameters=[OpenApiParameter("dry_run", bool, description="Only tell what differs.")],
    )
    @action(detail=True, methods=["post"], url_path="sync-panels")
    def sync_panels(self: Any, request: Request, pk: str) -> Response:
        """Ask the site for its panels and apply what differs, or only tell it. Values that a curator wrote stay unless
        they are accepted by name. 409 `panels_changed` when the differences are not those of `fingerprint`."""
        service: ImputationService = self.get_object()
        dry_run = _read_dry_run(request)
        body = SyncRequestSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        offered = _ask(service)
        if dry_run:
            return _answer(compare_panels(service, offered), [])
        wishes = body.validated_data
        try:
            diff, applied = apply_panels(
                service,
                offered,
                shown=wishes.get("fingerprint"),
                accepted=wishes.get("accept"),
                builds=wishes.get("builds"),
            )
        except DiffChangedError as error:
            raise ConflictError(f"{error} Ask for them again with dry_run=true.", code="panels_changed") from error
        return _answer(diff, applied)


def _read_dry_run(request: Request) -> bool:
    unknown = sorted(set(request.query_params) - {"dry_run"})
    wanted = request.query_params.get("dry_run", "").lower()
    if unknown or wanted not in _TRUTHS:
        raise InvalidInputError(f"{unknown[0] if unknown else 'dry_run'}: the only query is dry_run=true or false.")
    return _TRUTHS[wanted]


def _ask(service: ImputationService) -> tuple[OfferedPanel, ...]:
    try:
        return async_to_sync(ask_panels)(service)
    except SiteError as error:
        raise SiteProblemError(
            error.message, code=error.code, whose=error.whose, fix=advise(error.code, error.fix)
        ) from error
    except ShapeError as error:
        reason = str(error.errors()[0]["msg"])
        message = "The site's api_config is not valid."
        raise SiteProblemError(message, code="api_config_invalid", whose="platform", fix=reason) from error
    except DecryptionError as error:
        message = "The site's credential cannot be opened with the platform's keys."
        raise SiteProblemError(message, code="credential_sealed", whose="platform", fix="Set it again.") from error


def _answer(diff: PanelDiff, applied: list[str]) -> Response:
    facts = {
        "service_id": str(diff.service_id),
        "fingerprint": diff.fingerprint,
        "differences": [asdict(one) for one in diff.differences],
        "unchanged": diff.unchanged,
        "applied": applied,
    }
    return Response(facts)
