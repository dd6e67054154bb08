"""`/admin/microservices/`: how our own services are, now."""

from asgiref.sync import async_to_sync
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from django_app.config.probing import probe_services

REFRESH_S = 10


@never_cache
@require_safe
def show_microservices(request: HttpRequest) -> TemplateResponse:
    states = async_to_sync(probe_services)(settings.ENVIRONMENT.service_urls)
    context = {
        **admin.site.each_context(request),
        "title": "Microservices",
        "services": states,
        "ready_count": sum(state.state == "ready" for state in states),
        "checked_at": timezone.now(),
        "refresh_s": REFRESH_S,
    }
    return TemplateResponse(request, "imputation/microservices.html", context)
