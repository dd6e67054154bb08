from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from user_service.people import Person, log_in, new_email, register, registration

REGISTER = "/api/v1/auth/register"
ME = "/api/v1/users/me"


def test_who_registers_becomes_a_researcher_in_an_organisation_of_their_own(http: httpx.Client) -> None:
    wanted = registration()
    answer = http.post(REGISTER, json=wanted)
    assert answer.status_code == 201
    user = answer.json()
    assert user["email"] == wanted["email"]
    assert (user["roles"], user["tier"], user["is_active"]) == (["researcher"], "development", True)
    assert (user["email_verification"], user["email_verified"]) == ("off", False)
    assert user["organization"]["name"] == wanted["email"]
    assert "jobs:own" in user["permissions"]
    assert user["created_at"].endswith("Z")
    assert "password" not in answer.text
    assert wanted["password"] not in answer.text


def test_an_organisation_that_is_named_is_made_and_nobody_else_can_take_its_name(http: httpx.Client) -> None:
    name = f"Institute {new_email()}"
    assert http.post(REGISTER, json=registration(organization=name)).json()["organization"]["name"] == name
    second = registration(organization=f"  {name.upper().replace(' ', '  ')} ")
    answer = http.post(REGISTER, json=second)
    assert (answer.status_code, answer.json()["code"]) == (409, "organization_taken")
    assert log_in(http, second["email"]).status_code == 400, "a refused registration left an account behind"


def test_an_email_address_is_taken_whatever_the_case_of_its_letters(http: httpx.Client) -> None:
    email = new_email()
    assert http.post(REGISTER, json=registration(email=email)).status_code == 201
    answer = http.post(REGISTER, json=registration(email=email.upper()))
    assert (answer.status_code, answer.json()["code"]) == (409, "email_taken")
    assert log_in(http, email.upper()).status_code == 200


@pytest.mark.parametrize("field", ["email", "organization"])
def test_of_registrations_for_the_same_name_at_once_one_succeeds(http: httpx.Client, field: str) -> None:
    same = {"email": new_email(), "organization": f"Race {new_email()}"}[field]
    with ThreadPoolExecutor(6) as threads:
        answers = threads.map(lambda _: http.post(REGISTER, json=registration(**{field: same})), range(6))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": "Ada <ada@example.org>"}, "email"),
        ({"email": "a\x00b@example.org"}, "email"),
        ({"email": "a" * 300 + "@example.org"}, "email"),
        ({"email": 7}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 257}, "password"),
        ({"password": ["correct horse battery"]}, "password"),
        ({"full_name": "   "}, "full_name"),
        ({"full_name": "Ada\x00Example"}, "full_name"),
        ({"full_name": None}, "full_name"),
        ({"organization": "x" * 201}, "organization"),
        ({"organization": ""}, "organization"),
        ({"roles": ["admin"]}, "roles"),
        ({"tier": "local"}, "tier"),
    ],
)
def test_a_wrong_registration_is_told_what_is_wrong(http: httpx.Client, change: dict[str, object], field: str) -> None:
    answer = http.post(REGISTER, json=registration(**change))
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "invalid_input"
    assert field in [found["field"] for found in problem["errors"]]


def test_a_password_of_256_characters_with_any_of_them_works(http: httpx.Client) -> None:
    password = ("pä\x00ß🧬 " * 50)[:256]
    wanted = registration(password=password)
    assert http.post(REGISTER, json=wanted).status_code == 201
    assert log_in(http, wanted["email"], password).status_code == 200
    assert log_in(http, wanted["email"], password[:-1]).status_code == 400


def test_people_see_and_change_their_own_profile(http: httpx.Client, person: Person) -> None:
    assert http.get(ME, headers=person.headers).json()["id"] == person.id
    changed = http.patch(ME, headers=person.headers, json={"full_name": " Grace Example ", "affiliation": "Institute"})
    assert changed.status_code == 200
    assert (changed.json()["full_name"], changed.json()["affiliation"]) == ("Grace Example", "Institute")
    emptied = http.patch(ME, headers=person.headers, json={"affiliation": None})
    assert (emptied.json()["full_name"], emptied.json()["affiliation"]) == ("Grace Example", None)
    assert http.get(ME, headers=person.headers).json() == emptied.json()


@pytest.mark.parametrize("change", [{"roles": ["admin"]}, {"full_name": ""}, {"full_name": None}, {"email": "x@y.org"}])
def test_nobody_changes_more_than_their_profile(http: httpx.Client, person: Person, change: dict[str, object]) -> None:
    before = http.get(ME, headers=person.headers).json()
    assert http.patch(ME, headers=person.headers, json=change).status_code == 400
    assert http.get(ME, headers=person.headers).json() == before


def test_without_a_token_there_is_no_account_to_see(http: httpx.Client) -> None:
    answer = http.get(ME)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_personal_organisations_do_not_stand_in_the_way_of_named_ones(http: httpx.Client) -> None:
    email = new_email()
    register(http, email=email)
    assert http.post(REGISTER, json=registration(organization=email)).status_code == 201


@pytest.mark.parametrize("path", ["/api/v1/users/me/tokens", "/api/v1/audit-logs"])
def test_what_is_not_built_does_not_exist(http: httpx.Client, person: Person, path: str) -> None:
    answer = http.get(path, headers=person.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
