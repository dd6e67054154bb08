from django.apps import AppConfig


class StaffConfig(AppConfig):
    name = "django_app.staff"
    label = "staff"
    verbose_name = "Staff"

    def ready(self) -> None:
        from django.contrib import admin

        from django_app.staff import sessions

        admin.site.login_template = "staff/login.html"
        sessions.connect()
