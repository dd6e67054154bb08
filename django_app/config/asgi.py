"""The web process: admin, curation API, health. `python -m uvicorn django_app.config.asgi:application`."""

import os
import warnings

from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.handlers.asgi import ASGIHandler

from microservices.kernel.logs import configure_logs


def create_application() -> ASGIHandler:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_app.config.settings")
    settings.ENVIRONMENT.require_complete()
    configure_logs("django", settings.ENVIRONMENT.log_level)
    # Static files are small: that whitenoise hands them over as plain iterators is no loss.
    warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")
    return get_asgi_application()


application = create_application()
