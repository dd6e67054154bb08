"""The forms of the steps; the rules of single fields are the model's own."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from django_app.imputation.models import ApiKind, ImputationService
from django_app.imputation.validation import validate_base_url, validate_credential, validate_pem

if TYPE_CHECKING:
    SiteModelForm = forms.ModelForm[ImputationService]
else:
    SiteModelForm = forms.ModelForm

_ADDRESS_ATTRIBUTES = {"placeholder": "https://imputation.example.org", "inputmode": "url", "autocomplete": "off"}


class AddressForm(forms.Form):
    base_url = forms.CharField(
        label="Address",
        max_length=500,
        validators=[validate_base_url],
        widget=UnfoldAdminTextInputWidget(_ADDRESS_ATTRIBUTES),
        help_text="The site's address; of a WES server the whole base address, such as "
        "https://wes.example.org/ga4gh/wes/v1.",
    )
    api_type = forms.ChoiceField(
        label="Interface",
        required=False,
        choices=[("", "Find out: ask for both"), *ApiKind.choices],
        widget=UnfoldAdminSelectWidget(),
        help_text="What the site speaks, if you know it.",
    )
    allow_private_network = forms.BooleanField(
        label="Private network, or plain http",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="Tick this only for a site of your own institution's network, of this machine, or one that has no "
        "https. Without it the platform connects to public https addresses only, so that nobody can use it to reach "
        "into the network that it runs in.",
    )
    ca_pem = forms.CharField(
        label="CA certificate (PEM)",
        required=False,
        max_length=100_000,
        validators=[validate_pem],
        widget=UnfoldAdminTextareaWidget({"rows": 3, "placeholder": "-----BEGIN CERTIFICATE-----"}),
        help_text="Only for a site whose certificate is signed by an authority of its own.",
    )

    def clean_base_url(self) -> str:
        return str(self.cleaned_data["base_url"]).rstrip("/")


class SiteForm(SiteModelForm):
    """`api_type` is asked for only where nothing answered that would tell it."""

    class Meta:
        model = ImputationService
        fields = ("api_type", "name", "location", "country", "min_samples", "max_samples", "max_file_size_mb")
        labels = {  # noqa: RUF012
            "api_type": "Interface",
            "location": "Institution",
            "min_samples": "Fewest samples",
            "max_samples": "Most samples",
            "max_file_size_mb": "Largest upload (MiB)",
        }
        widgets = {  # noqa: RUF012
            "api_type": UnfoldAdminSelectWidget(),
            "name": UnfoldAdminTextInputWidget(),
            "location": UnfoldAdminTextInputWidget(),
            "country": UnfoldAdminTextInputWidget({"placeholder": "ZA", "size": 4}),
            "min_samples": UnfoldAdminIntegerFieldWidget(),
            "max_samples": UnfoldAdminIntegerFieldWidget(),
            "max_file_size_mb": UnfoldAdminIntegerFieldWidget(),
        }

    def __init__(self, *args: Any, ask_interface: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not ask_interface:
            del self.fields["api_type"]


class AccessForm(forms.Form):
    requires_auth = forms.BooleanField(
        label="The site wants a credential",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="Then a run uses its owner's own credential for this site, or the one below if it is shared.",
    )
    new_credential = forms.CharField(
        label="Curated credential",
        required=False,
        max_length=8000,
        validators=[validate_credential],
        widget=UnfoldAdminPasswordWidget(render_value=False, attrs={"autocomplete": "new-password"}),
    )
    clear_credential = forms.BooleanField(
        label="Take the credential away again", required=False, widget=UnfoldBooleanWidget()
    )
    credential_shared = forms.BooleanField(
        label="Shared: runs of people without a credential of their own may use it",
        required=False,
        widget=UnfoldBooleanWidget(),
    )
    token_url = forms.CharField(
        label="Token address",
        required=False,
        max_length=500,
        validators=[validate_base_url],
        widget=UnfoldAdminTextInputWidget({"placeholder": "https://wes.example.org/token"}),
        help_text="Where a user name and password become a token, if the site works so; the credential is then "
        "name:password.",
    )

    def __init__(self, *args: Any, api_type: str, has_credential: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if api_type != ApiKind.GA4GH:
            del self.fields["token_url"]
        if not has_credential:
            del self.fields["clear_credential"]
        words = "Leave it empty to keep the one that you entered." if has_credential else "Leave it empty for none."
        what = "An API token of the site's profile page." if api_type != ApiKind.GA4GH else "A bearer token."
        self.fields["new_credential"].help_text = f"{what} It is encrypted as it comes in and never shown. {words}"
        self.has_credential = has_credential

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        gives = cleaned.get("new_credential") or (self.has_credential and not cleaned.get("clear_credential"))
        if cleaned.get("credential_shared") and "new_credential" in cleaned and not gives:
            raise ValidationError({"credential_shared": "There is no credential to be shared."})
        return cleaned


class ReviewForm(forms.Form):
    """`answers`: whether the site was well when it was last asked."""

    is_active = forms.BooleanField(
        label="Active: people may submit jobs to it",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="It can be made active later, on its own page.",
    )
    knowingly = forms.BooleanField(
        label="I know that the site does not answer",
        required=False,
        widget=UnfoldBooleanWidget(),
        help_text="Jobs for it are accepted and wait until it answers.",
    )

    def __init__(self, *args: Any, answers: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if answers:
            del self.fields["knowingly"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("is_active") and "knowingly" in self.fields and not cleaned.get("knowingly"):
            raise ValidationError({"knowingly": "Tick this too, or save the site inactive."})
        return cleaned
