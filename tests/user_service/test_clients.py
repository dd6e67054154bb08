"""Our own services' log-ins."""

import base64

import httpx
import pytest
from pydantic import SecretStr

from microservices.kernel.auth import TokenVerifier
from microservices.kernel.errors import DependencyUnavailableError
from microservices.kernel.service_tokens import ServiceTokens
from user_service.people import CLIENT_SECRET, Person, log_in_client

TOKEN = "/api/v1/auth/token"


def basic(client_id: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def test_a_service_gets_the_scopes_that_are_fixed_for_it(http: httpx.Client, base_url: str) -> None:
    answer = log_in_client(http, "job_processor").json()
    assert answer["expires_in"] == 3600
    assert "refresh_token" not in answer
    caller = TokenVerifier(f"{base_url}/.well-known/jwks.json").verify(answer["access_token"])
    assert (caller.client_id, caller.user_id) == ("job_processor", None)
    expected = {"files:read", "files:write", "credentials:read", "events:write", "catalogue:read"}
    assert caller.scopes == expected == set(answer["scope"].split())


def test_a_service_without_scopes_is_still_known(http: httpx.Client) -> None:
    assert log_in_client(http, "api_gateway").json()["scope"] == ""


def test_a_service_may_log_in_by_http_basic(http: httpx.Client) -> None:
    form = {"grant_type": "client_credentials"}
    assert (
        http.post(TOKEN, data=form, headers=basic("job_processor", CLIENT_SECRET.replace(" ", "+"))).status_code == 200
    )
    refused = http.post(TOKEN, data=form, headers=basic("job_processor", "wrong"))
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_client")
    assert refused.headers["www-authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /////w==", "Basic Og=="])
def test_an_unreadable_basic_header_is_no_client(http: httpx.Client, header: str) -> None:
    answer = http.post(TOKEN, data={"grant_type": "client_credentials"}, headers={"Authorization": header})
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


def test_a_secret_comes_from_one_place(http: httpx.Client) -> None:
    form = {"grant_type": "client_credentials", "client_id": "job_processor", "client_secret": CLIENT_SECRET}
    answer = http.post(TOKEN, data=form, headers=basic("job_processor", CLIENT_SECRET))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    ("client_id", "secret"),
    [
        ("job_processor", "wrong"),
        ("job_processor", " "),
        ("notification", " "),
        ("nobody", CLIENT_SECRET),
        ("stranger", CLIENT_SECRET),
    ],
)
def test_wrong_unset_and_unknown_clients_are_all_the_same(http: httpx.Client, client_id: str, secret: str) -> None:
    answer = log_in_client(http, client_id, secret)
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_client")
    assert answer.json()["detail"] == "The client's id or secret is wrong."


def test_services_are_no_people(http: httpx.Client) -> None:
    headers = {"Authorization": f"Bearer {log_in_client(http, 'job_processor').json()['access_token']}"}
    assert http.get("/api/v1/users/me", headers=headers).status_code == 403


def test_services_get_their_tokens_by_the_kernel_s_client(base_url: str) -> None:
    assert ServiceTokens(base_url, "job_processor", SecretStr(CLIENT_SECRET)).get().count(".") == 2
    with pytest.raises(DependencyUnavailableError):
        ServiceTokens(base_url, "job_processor", SecretStr("wrong")).get()


def test_people_may_not_use_what_is_for_services(http: httpx.Client, person: Person) -> None:
    answer = http.post("/internal/site-credentials/resolve", headers=person.headers, json={})
    assert answer.status_code == 403
