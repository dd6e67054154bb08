from django.apps import AppConfig


class OutboxConfig(AppConfig):
    name = "django_app.outbox"
    label = "outbox"
    verbose_name = "Delivery to the registry"
