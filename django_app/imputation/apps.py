from django.apps import AppConfig


class ImputationConfig(AppConfig):
    name = "django_app.imputation"
    label = "imputation"
    verbose_name = "Sites and panels"

    def ready(self) -> None:
        from django_app.imputation import signals

        signals.connect()
