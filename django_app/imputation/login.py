"""The log-in form of the admin. Not in `admin/`: it is imported while the admin's site is being made."""

from typing import Any

from unfold.forms import AuthenticationForm


class StaffLoginForm(AuthenticationForm):
    """People log in with their e-mail address, which is their user name, in lower case."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail"

    def clean_username(self) -> str:
        return str(self.cleaned_data["username"]).strip().lower()
