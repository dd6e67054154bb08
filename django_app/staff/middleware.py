"""Ends the session of whoever has lost the right, before the page is made."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse

from django_app.staff.sessions import RightEndedError, confirm_right


class RightMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith("/admin/") and isinstance(request.user, User):
            try:
                request.user = confirm_right(request, request.user)
            except RightEndedError as ending:
                return _show_out(request, str(ending))
        return self._get_response(request)


def _show_out(request: HttpRequest, words: str) -> HttpResponseRedirect:
    logout(request)
    messages.error(request, words)
    page = request.get_full_path() if request.method == "GET" else reverse("admin:index")
    return HttpResponseRedirect(f"{reverse('admin:login')}?{urlencode({'next': page})}")
