"""The log-in form of the admin. It is imported while the admin's site is being made."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from unfold.forms import AuthenticationForm
from unfold.widgets import UnfoldAdminTextInputWidget

from django_app.staff.authority import RefusedError
from django_app.staff.entry import enter_by_platform, enter_locally, find_account, is_local
from django_app.staff.sessions import attach_grant

_LONGEST = 150


class StaffLoginForm(AuthenticationForm):
    """People log in with their e-mail address, which is their user name, in lower case."""

    request: HttpRequest

    otp = forms.CharField(
        label="One-time code",
        required=False,
        max_length=64,
        help_text="Only when your account has a second factor: the code of your app, or a recovery code.",
        widget=UnfoldAdminTextInputWidget({"autocomplete": "one-time-code"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail"
        self.fields["username"].widget.attrs["autocomplete"] = "username"

    def clean_username(self) -> str:
        """No longer than the column of Django's own accounts; user_service would take more."""
        email = str(self.cleaned_data["username"]).strip().lower()
        if len(email) > _LONGEST:
            raise ValidationError(f"These pages take e-mail addresses of at most {_LONGEST} characters.")
        return email

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = self.cleaned_data
        email, password = given.get("username"), given.get("password")
        if email and password:
            try:
                self._enter(email, password, given.get("otp", "").strip())
            except RefusedError as refusal:
                raise ValidationError(str(refusal)) from refusal
            self.confirm_login_allowed(self.user_cache)
        return given

    def _enter(self, email: str, password: str, code: str) -> None:
        if is_local(find_account(email)):
            self.user_cache = enter_locally(self.request, email, password)
        else:
            self.user_cache, grant = enter_by_platform(self.request, email, password, code)
            attach_grant(self.user_cache, grant)
