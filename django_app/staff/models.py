"""Log-ins by platform account, each beside the admin's own session."""

from uuid import uuid4

from django.contrib.auth.models import User
from django.db import models

from django_app.imputation.encryption import SealedTextField


class PlatformSession(models.Model):
    """The tokens of one log-in, encrypted. Not in the session's own data, which requests at once would overwrite."""

    id = models.UUIDField(primary_key=True, default=uuid4)
    user = models.ForeignKey(User, on_delete=models.CASCADE)
    login_id = models.CharField(max_length=100)
    """`sid` at user_service."""
    access_token = SealedTextField()
    refresh_token = SealedTextField()
    access_ends_at = models.DateTimeField()
    ask_again_at = models.DateTimeField(null=True)
    """While user_service is away, it is not asked for every request."""
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        permissions = (
            ("operate_services", "Can restart our services and read their logs"),
            ("view_jobs", "Can see everybody's jobs"),
            ("steer_jobs", "Can cancel and retry everybody's jobs"),
        )
        indexes = (models.Index(fields=["created_at"], name="staff_session_created"),)
