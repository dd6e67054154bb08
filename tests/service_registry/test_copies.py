"""What the owner of the catalogue is told to compare: versions and contents, and never a secret."""

import secrets
from typing import Any
from uuid import uuid4

import httpx
import sqlalchemy as sa

from microservices.contracts.curation import SiteDocument, fingerprint_document
from microservices.kernel.events import KNOWN_VERSION
from tests.service_registry.registry import Registry, describe_panel

NONCE = "a-nonce-of-more-than-32-characters"


def ask(registry: Registry, path: str = "", scope: str = "catalogue:compare", **params: Any) -> httpx.Response:
    headers = registry.authority.service("django", scope)
    return registry.http.get(f"/internal/catalogue/copies{path}", headers=headers, params=params)


def read_copies(registry: Registry, nonce: str = NONCE) -> dict[str, dict[str, Any]]:
    return {copy["id"]: copy for copy in ask(registry, nonce=nonce).json()}


def test_a_copy_has_the_version_and_the_fingerprint_of_what_was_sent(registry: Registry) -> None:
    recipe = {"workflow_url": "impute.cwl", "parameters": {"b": 1.0, "a": ["{{input.location}}", None, 1e-7]}}
    panels = [describe_panel(name="Z"), describe_panel(name="A", recipe=recipe, populations=[])]
    document = registry.describe_site(credential="token-of-the-curator", panels=panels, ca_pem="not read here")
    site_id = registry.store(document, dataversion=7)
    expected = fingerprint_document(SiteDocument.model_validate(document), NONCE)
    assert read_copies(registry)[site_id] == {"id": site_id, "version": 7, "fingerprint": expected}
    assert ask(registry, f"/{site_id}").json()["credential"] is None


def test_a_fingerprint_is_of_one_comparison_only_and_changes_with_everything(registry: Registry) -> None:
    document = registry.describe_site(credential="one", panels=[describe_panel()])
    site_id = registry.store(document)
    seen = {
        read_copies(registry, secrets.token_hex(32))[site_id]["fingerprint"],
        read_copies(registry)[site_id]["fingerprint"],
    }
    panel = {**document["panels"][0], "is_active": False}
    for changes in (
        {"credential": "two"},
        {"credential": None},
        {"country": "ML"},
        {"panels": [panel]},
        {"panels": []},
    ):
        document |= changes
        registry.store(document)
        seen.add(read_copies(registry)[site_id]["fingerprint"])
    assert len(seen) == 7


def test_a_deleted_site_is_told_with_its_version_and_no_content(registry: Registry) -> None:
    site_id = registry.store(registry.describe_site())
    registry.delete(site_id)
    assert read_copies(registry)[site_id] == {"id": site_id, "version": 2, "fingerprint": None}


def test_what_nobody_told_of_and_what_cannot_be_read_is_told_as_such(registry: Registry) -> None:
    site_id, stranger = registry.store(registry.describe_site(credential="token")), uuid4()
    columns = [name["name"] for name in inspect_columns(registry) if name["name"] != "id"]
    names = ", ".join(columns)
    registry.execute(
        f"INSERT INTO imputation_services (id, {names}) SELECT :new, {names} FROM imputation_services WHERE id = :old",
        new=stranger,
        old=site_id,
    )
    registry.execute("UPDATE imputation_services SET credential_encrypted = 'of a lost key' WHERE id = :id", id=site_id)
    copies = read_copies(registry)
    assert copies[str(stranger)]["version"] is None
    assert copies[str(stranger)]["fingerprint"]
    assert copies[site_id] == {"id": site_id, "version": 1, "fingerprint": ""}
    registry.execute(
        "UPDATE imputation_services SET api_config = CAST('{\"a\": 1}' AS jsonb) WHERE id = :id", id=site_id
    )
    refusal = ask(registry, f"/{site_id}")
    assert (refusal.status_code, refusal.json()["code"]) == (409, "copy_unreadable")
    assert "api_config.a" in refusal.json()["detail"]
    registry.execute("DELETE FROM imputation_services WHERE id IN (:a, :b)", a=site_id, b=stranger)


def inspect_columns(registry: Registry) -> Any:
    return sa.inspect(registry.engine).get_columns("imputation_services")


def test_only_the_owner_may_compare(registry: Registry) -> None:
    for scope in ("catalogue:read", "events:write", "credentials:read"):
        assert ask(registry, scope=scope, nonce=NONCE).status_code == 403
    assert ask(registry).status_code == 400
    assert ask(registry, nonce="short").status_code == 400
    assert ask(registry, f"/{uuid4()}").status_code == 404


def test_who_is_told_something_old_says_what_it_knows_each_time(registry: Registry) -> None:
    """So a producer whose database was restored from a backup hears that its versions were given before."""
    document = registry.describe_site()
    site_id, event_id = registry.store(document, dataversion=7), str(uuid4())
    for _ in range(2):
        answer = registry.send("site.changed", site_id, {**document, "name": "Lost"}, id=event_id, dataversion=7)
        assert (answer.status_code, answer.headers[KNOWN_VERSION]) == (204, "7")
        answer = registry.send("site.deleted", site_id, {}, dataversion=3)
        assert (answer.status_code, answer.headers[KNOWN_VERSION]) == (204, "7")
    answer = registry.send("site.changed", site_id, {**document, "name": "Last"}, dataversion=8)
    assert (answer.status_code, KNOWN_VERSION in answer.headers) == (204, False)
    assert registry.read(f"/services/{site_id}")["name"] == "Last"
