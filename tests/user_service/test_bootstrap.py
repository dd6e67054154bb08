"""`python -m microservices.user_service.bootstrap`, as the supervisor runs it."""

import json
import os
import subprocess
import sys
from typing import Any
from uuid import uuid4

import httpx
import pytest

from microservices.user_service.bootstrap import bootstrap_accounts
from microservices.user_service.settings import Settings
from user_service.people import PASSWORD, log_in, new_email, refresh


def run_bootstrap(settings: Settings, accounts: list[dict[str, Any]]) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "USER_SERVICE_DATABASE_URL": settings.database_url.get_secret_value(),
        "USER_SERVICE_ENCRYPTION_KEYS": settings.encryption_keys.get_secret_value(),
        "REDIS_URL": settings.redis_url.get_secret_value(),
    }
    command = [sys.executable, "-m", "microservices.user_service.bootstrap"]
    return subprocess.run(
        command, input=json.dumps(accounts), env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def make_account(**others: Any) -> dict[str, Any]:
    fields = {"email": new_email(), "password": PASSWORD, "full_name": "Operator", "roles": ["operator", "curator"]}
    return fields | {"organization": f"Institute {uuid4()}", "tier": "local"} | others


def show(http: httpx.Client, account: dict[str, Any]) -> Any:
    token = log_in(http, account["email"], account["password"]).json()["access_token"]
    return http.get("/api/v1/users/me", headers={"Authorization": f"Bearer {token}"}).json()


def test_accounts_are_made_with_roles_tier_and_a_shared_organisation(settings: Settings, http: httpx.Client) -> None:
    first = make_account()
    second = make_account(organization=first["organization"], roles=["researcher"])
    result = run_bootstrap(settings, [first, second])
    assert result.returncode == 0, result.stderr
    users = [show(http, account) for account in (first, second)]
    assert (users[0]["roles"], users[0]["tier"]) == (["curator", "operator"], "local")
    assert users[0]["organization"] == users[1]["organization"]
    assert users[0]["organization"]["name"] == first["organization"]
    assert PASSWORD not in result.stdout + result.stderr


def test_again_it_changes_nothing_and_log_ins_go_on(settings: Settings, http: httpx.Client) -> None:
    account = make_account()
    assert bootstrap_accounts(settings, json.dumps([account])) == 1
    before = show(http, account)
    tokens = log_in(http, account["email"]).json()
    assert bootstrap_accounts(settings, json.dumps([account])) == 0
    assert show(http, account) == before
    assert refresh(http, tokens["refresh_token"]).status_code == 200


def test_an_existing_account_gets_the_new_password_roles_and_tier(settings: Settings, http: httpx.Client) -> None:
    account = make_account()
    assert bootstrap_accounts(settings, json.dumps([account])) == 1
    tokens = log_in(http, account["email"]).json()
    changed = account | {"password": "another long password", "roles": ["admin"], "tier": "development"}
    assert bootstrap_accounts(settings, json.dumps([changed])) == 1
    user = show(http, changed)
    assert (user["roles"], user["tier"]) == (["admin"], "development")
    assert log_in(http, account["email"], PASSWORD).status_code == 400
    assert refresh(http, tokens["refresh_token"]).status_code == 400, "the old password's log-ins must end"


def test_wrong_input_is_refused_whole_and_in_clear_words(settings: Settings, http: httpx.Client) -> None:
    good, bad = make_account(), make_account(roles=["emperor"])
    result = run_bootstrap(settings, [good, bad])
    assert result.returncode == 1
    assert "there is no role emperor" in result.stderr
    assert log_in(http, good["email"]).status_code == 400
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("text", ["", "{}", '[{"email": "operator@example.org", "password": "short-1"}]'])
def test_what_is_no_list_of_accounts_is_refused_without_repeating_it(settings: Settings, text: str) -> None:
    with pytest.raises(ValueError, match="list of accounts is not valid") as refusal:
        bootstrap_accounts(settings, text)
    assert "short-1" not in str(refusal.value)
