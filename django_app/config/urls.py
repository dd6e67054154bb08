"""Addresses. Under the gateway: `/admin/` and `/api/v1/curation/`."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularJSONAPIView
from rest_framework.routers import SimpleRouter

from django_app.config import health
from django_app.config.documentation import show_documentation
from django_app.imputation.admin import jobs, microservices
from django_app.imputation.api.drift import DriftView, RepairView
from django_app.imputation.api.views import PanelViewSet, ServiceViewSet, SyncStatusViewSet

router = SimpleRouter()
router.register("services", ServiceViewSet, basename="service")
router.register("panels", PanelViewSet, basename="panel")
router.register("sync-status", SyncStatusViewSet, basename="sync-status")

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", health.tell_alive),
    path("health/ready", health.tell_ready),
    path("metrics", health.expose_metrics),
    path("openapi.json", SpectacularJSONAPIView.as_view()),
    path("docs", show_documentation),
    *microservices.list_urls(),
    *jobs.list_urls(),
    path("admin/", admin.site.urls),
    path("api/v1/curation/drift/", DriftView.as_view()),
    path("api/v1/curation/repair/", RepairView.as_view()),
    path("api/v1/curation/", include(router.urls)),
]

handler400 = "django_app.imputation.api.problems.answer_bad_request"
handler403 = "django_app.imputation.api.problems.answer_forbidden"
handler404 = "django_app.imputation.api.problems.answer_not_found"
handler500 = "django_app.imputation.api.problems.answer_fault"
