"""How somebody gets in: by an account of the platform, or by one that is local to the admin.

An address with a password here is a local account and is checked here alone; so it works while user_service is down,
and its password is never sent there. Any other address is user_service's to know.
"""

from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest

from django_app.staff import authority
from django_app.staff.authority import AuthorityAwayError, Grant, RefusedError
from django_app.staff.roles import STAFF_ROLES, give_roles, name_person
from django_app.staff.throttle import get_throttle

WRONG = "The e-mail address or the password is wrong."
AWAY = (
    "The platform's log-in service does not answer, so platform accounts cannot log in at the moment. Try again in a "
    "minute; the local break-glass account works meanwhile."
)
NO_ROLE = "This account has none of the roles that these pages are for: curator, operator, admin. Ask an administrator."


def find_account(email: str) -> User | None:
    return User.objects.filter(username=email).first()


def is_local(user: User | None) -> bool:
    return user is not None and bool(user.password) and user.has_usable_password()


def enter_locally(request: HttpRequest, email: str, password: str) -> User:
    """Raises RefusedError."""
    with get_throttle().attempt(email, find_address(request)) as attempt:
        user = authenticate(request, username=email, password=password)
        if not isinstance(user, User):
            attempt.wrong = True
            raise RefusedError(WRONG)
        return user


def enter_by_platform(request: HttpRequest, email: str, password: str, code: str) -> tuple[User, Grant]:
    """The person's account here, made or brought in line. Raises RefusedError."""
    try:
        grant = authority.log_in(email, password, code, find_address(request))
    except AuthorityAwayError as error:
        raise RefusedError(AWAY) from error
    if not STAFF_ROLES & grant.principal.roles:
        authority.log_out(grant.access_token)
        raise RefusedError(NO_ROLE)
    user = find_account(email) or User(username=email, email=email)
    if not user.password:  # a new one on each log-in would end the person's other sessions
        user.set_unusable_password()
    if name := authority.read_name(grant.access_token):
        name_person(user, name)
    give_roles(user, grant.principal.roles)
    return user, grant


def find_address(request: HttpRequest) -> str:
    """The person's, as uvicorn believes the proxy in front (`--forwarded-allow-ips`), which here is the gateway."""
    return str(request.META.get("REMOTE_ADDR") or "")
