"""Services, panels, and how far the registry is with them."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import transaction
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, UUIDField, Value
from django.db.models.functions import Cast, Concat, Substr
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from django_app.imputation.api.actions import ServiceActions
from django_app.imputation.api.filters import PanelFilters, ServiceFilters, SyncFilters
from django_app.imputation.api.idempotency import create_once
from django_app.imputation.api.pagination import CursorPages
from django_app.imputation.api.preconditions import add_etag, check_precondition, tell_etag
from django_app.imputation.api.serializers import (
    PanelSerializer,
    ServiceSerializer,
    SyncSerializer,
)
from django_app.imputation.concurrency import Curated
from django_app.imputation.models import ImputationService, ReferencePanel, site_subject
from django_app.outbox.models import Subject
from django_app.outbox.recording import lock_subjects, record_change
from django_app.outbox.states import IN_SYNC, annotate_state

if TYPE_CHECKING:
    Curation = viewsets.ModelViewSet[Any]
    SyncListing = viewsets.GenericViewSet[Subject]
else:
    Curation = viewsets.ModelViewSet
    SyncListing = viewsets.GenericViewSet


IF_MATCH = OpenApiParameter("If-Match", location=OpenApiParameter.HEADER)


def list_services() -> QuerySet[ImputationService]:
    subject = Concat(Value("site/"), Cast("id", CharField()))
    services = ImputationService.objects.annotate(panel_total=Count("panels", distinct=True))
    return annotate_state(services, subject)


def list_sync_states() -> QuerySet[Subject]:
    """Every site, and every deleted one that the registry has not been told of."""
    sites = ImputationService.objects.filter(pk=OuterRef("site_id"))
    subjects = Subject.objects.annotate(site_id=Cast(Substr("name", len("site/") + 1), UUIDField()))
    subjects = subjects.annotate(site_name=Subquery(sites.values("name")))
    return annotate_state(subjects, F("name")).exclude(~Exists(sites), Q(sync_state=IN_SYNC))


class CurationViewSet(Curation):
    """Changes take the site's lock first and read what they change after it: nobody's change is lost."""

    pagination_class = CursorPages
    filter_backends = (DjangoFilterBackend,)
    http_method_names = ("get", "post", "patch", "delete", "head", "options")
    sortable: tuple[str, ...] = ("-created_at", "name", "updated_at")

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """The author's name for the history is asked for before anything is locked."""
        super().initial(request, *args, **kwargs)
        if request.method not in SAFE_METHODS:
            request.user.get_username()

    def lock_site(self) -> Curated:
        """Takes the lock of the site that is about to be changed; 404 when there is none."""
        thing: Curated = self.get_object()
        lock_subjects(thing.subject)
        return thing

    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        etag = tell_etag(type(thing := self.get_object()), thing.pk)
        return add_etag(super().retrieve(request, *args, **kwargs), etag)

    @extend_schema(parameters=[OpenApiParameter("Idempotency-Key", location=OpenApiParameter.HEADER)])
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return create_once(request, lambda: super(CurationViewSet, self).create(request, *args, **kwargs))

    def update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            thing = self.lock_site()
            check_precondition(request, thing)
            answer = super().update(request, *args, **kwargs)
            return add_etag(answer, tell_etag(type(thing), thing.pk))

    @extend_schema(parameters=[IF_MATCH])
    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """With `If-Match`, the ETag of the answer that you have seen: only if nobody has changed it since, else 412."""
        return super().partial_update(request, *args, **kwargs)

    @extend_schema(parameters=[IF_MATCH])
    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with transaction.atomic():
            check_precondition(request, self.lock_site())
            return super().destroy(request, *args, **kwargs)


class ServiceViewSet(ServiceActions, CurationViewSet):
    serializer_class = ServiceSerializer
    filterset_class = ServiceFilters

    def get_queryset(self) -> QuerySet[ImputationService]:
        return list_services()

    def perform_create(self, serializer: BaseSerializer[Any]) -> None:
        self._save(serializer)

    def perform_update(self, serializer: BaseSerializer[Any]) -> None:
        self._save(serializer)

    def _save(self, serializer: BaseSerializer[Any]) -> None:
        """The answer is read back, so that it tells the counts and the sync state too."""
        serializer.instance = self.get_queryset().get(pk=serializer.save().pk)

    @extend_schema(request=None, responses={202: SyncSerializer})
    @action(detail=True, methods=["post"])
    def push(self, request: Request, pk: str) -> Response:
        """Tell the registry again, now; also what it refused before."""
        with transaction.atomic():
            self.lock_site()
            record_change(site_subject(self.get_object().pk))
            state = list_sync_states().get(name=site_subject(UUID(pk)))
        return Response(SyncSerializer(state).data, status=202)


class PanelViewSet(CurationViewSet):
    serializer_class = PanelSerializer
    filterset_class = PanelFilters
    queryset = ReferencePanel.objects.all()
    sortable = (*CurationViewSet.sortable, "panel_id")


class SyncStatusViewSet(mixins.ListModelMixin, SyncListing):
    serializer_class = SyncSerializer
    filterset_class = SyncFilters
    filter_backends = (DjangoFilterBackend,)
    pagination_class = CursorPages
    sortable = ("-changed_at", "version")

    def get_queryset(self) -> QuerySet[Subject]:
        return list_sync_states()
