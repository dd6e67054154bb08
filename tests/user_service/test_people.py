"""Who has a role, for our other services: ids of active accounts, and nothing else."""

import httpx
from sqlalchemy import Engine, text

from user_service.people import Person, log_in_client, register

GRANT = "INSERT INTO user_roles (user_id, role) VALUES (:user, :role)"


def ask(http: httpx.Client, client_id: str, role: str) -> httpx.Response:
    token = log_in_client(http, client_id).json()["access_token"]
    return http.get("/internal/people", params={"role": role}, headers={"Authorization": f"Bearer {token}"})


def test_a_roles_active_people_and_the_administrators_are_listed(http: httpx.Client, engine: Engine) -> None:
    curator, admin, operator, gone = (register(http) for _ in range(4))
    with engine.begin() as connection:
        for person, role in ((curator, "curator"), (admin, "admin"), (operator, "operator"), (gone, "curator")):
            connection.execute(text(GRANT), {"user": person.id, "role": role})
        connection.execute(text("UPDATE users SET is_active = false WHERE id = :id"), {"id": gone.id})
    listed = {entry["user_id"]: entry for entry in ask(http, "notification", "curator").json()}
    assert {curator.id, admin.id} <= listed.keys()
    assert not {operator.id, gone.id} & listed.keys()
    assert listed[curator.id].keys() == {"user_id", "organization_id"}
    assert ask(http, "notification", "researcher").status_code == 400


def test_people_and_other_services_are_not_told(http: httpx.Client, person: Person) -> None:
    path = "/internal/people?role=curator"
    assert http.get(path).status_code == 401
    assert http.get(path, headers=person.headers).status_code == 403
    assert ask(http, "job_processor", "curator").status_code == 403
