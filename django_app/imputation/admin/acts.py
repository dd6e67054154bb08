"""What staff did to something that is no row of ours, in the admin's own log."""

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.http import HttpRequest


def record_act(request: HttpRequest, *, key: str, name: str, words: str) -> None:
    if isinstance(request.user, User):
        LogEntry.objects.create(
            user=request.user, object_id=key, object_repr=name[:200], action_flag=CHANGE, change_message=words
        )
