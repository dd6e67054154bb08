"""What each process is given, and what becomes of secrets, logs and disks in a bad state."""

import errno
import json
import os
from pathlib import Path

import pytest

from imputehub.local.credentials import OWNERS, describe_accounts, describe_staff, load_secrets, write_credentials
from imputehub.local.errors import LocalPlatformError
from imputehub.local.logs import open_log, read_tail, rotate_logs
from imputehub.local.ports import DEFAULT_PORTS
from imputehub.local.state import explain_os_error, find_home, write_private
from imputehub.local.table import Installation, build_stages, list_names


@pytest.fixture
def site(tmp_path: Path) -> Installation:
    secrets = load_secrets(tmp_path, has_data=False)
    ports = {name: port or 40000 + number for number, (name, port) in enumerate(DEFAULT_PORTS.items())}
    environ = {"PATH": "/usr/bin", "SECRET_OF_THE_SHELL": "x", "DJANGO_DEBUG_LEVEL": "1", "SANDBOX_ENGINE": "lshmm"}
    return Installation(tmp_path, tmp_path / "pgdata", secrets, ports, environ)


def test_each_process_gets_the_secrets_of_its_owner_only(site: Installation) -> None:
    for owner in OWNERS:
        given = " ".join(site.list_environment(owner).values())
        own = {name for name in site.secrets if name.endswith(f":{owner}")}
        private = {name for name in site.secrets if name.startswith(("database:", "encryption:")) and name not in own}
        assert all(site.secrets[name] in given for name in own)
        assert not any(site.secrets[name] in given for name in private)


def test_client_secrets_of_all_are_known_to_the_user_service_alone(site: Installation) -> None:
    for owner in OWNERS:
        known = [name for name in OWNERS if site.secrets[f"client:{name}"] in str(site.list_environment(owner))]
        assert known == (list(OWNERS) if owner == "user_service" else [owner])


def test_the_sandbox_gets_none_of_the_platforms_secrets_and_its_own_settings(site: Installation) -> None:
    sandbox = next(spec for stage in build_stages(site) for spec in stage.processes if spec.kind == "sandbox")
    assert not any(secret in str(sandbox.environment) for secret in site.secrets.values())
    assert sandbox.environment["SANDBOX_ENGINE"] == "lshmm"


def test_settings_under_an_owners_prefix_reach_that_owner_only(site: Installation) -> None:
    assert site.list_environment("django")["DJANGO_DEBUG_LEVEL"] == "1"
    assert "DJANGO_DEBUG_LEVEL" not in site.list_environment("file_manager")
    assert "SECRET_OF_THE_SHELL" not in site.list_environment("django")


def test_the_listed_names_are_those_of_the_stages(site: Installation) -> None:
    described = [(spec.name, spec.kind) for stage in build_stages(site) for spec in stage.processes]
    assert described == list_names()


def test_secrets_are_made_once(tmp_path: Path) -> None:
    assert load_secrets(tmp_path, has_data=False) == load_secrets(tmp_path, has_data=True)


def test_lost_secrets_beside_data_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text('{"control": "abc')
    with pytest.raises(LocalPlatformError, match="put it back, or remove"):
        load_secrets(tmp_path, has_data=True)


def test_credentials_hold_every_account_and_database(site: Installation) -> None:
    write_credentials(site.home, site.secrets, "http://127.0.0.1:8000", {"monitoring_db": "postgresql://x"})
    known = json.loads((site.home / "credentials.json").read_text())
    assert set(known) == {"gateway_url", "admin_url", "break_glass", "accounts", "databases"}
    assert set(known["accounts"]) == {"researcher", "curator", "operator", "admin", "researcher2"}
    assert known["admin_url"] == "http://127.0.0.1:8000/admin/"


def test_django_is_told_no_platform_accounts_password(site: Installation) -> None:
    told = {account["email"]: account.get("password") for account in describe_staff(site.secrets)}
    assert told.pop("break-glass@example.org") == site.secrets["account:break-glass"]
    assert told == {account["email"]: None for account in describe_accounts(site.secrets)}


def test_an_interrupted_write_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "secrets.json"
    write_private(path, {"kept": 1})
    with pytest.raises(TypeError):
        write_private(path, {"lost": object()})
    assert json.loads(path.read_text()) == {"kept": 1}


def test_a_full_disk_is_told_in_words(tmp_path: Path) -> None:
    error = OSError(errno.ENOSPC, "No space left on device")
    assert "No space on the disk" in str(explain_os_error(error, tmp_path))


def test_a_log_is_cut_at_its_limit_and_writers_go_on_in_it(tmp_path: Path) -> None:
    descriptor = open_log(tmp_path, "django")
    with os.fdopen(descriptor, "w") as log:
        log.write("old\n" * 100)
        log.flush()
        rotate_logs(tmp_path, limit_bytes=50)
        log.write("new\n")
    assert (tmp_path / "django.log").read_text() == "new\n"
    assert read_tail(tmp_path / "django.log.1", 2) == ["old", "old"]


def test_the_state_directory_can_be_chosen(tmp_path: Path) -> None:
    assert find_home({"IMPUTEHUB_HOME": str(tmp_path)}) == tmp_path
    assert find_home({}).name == ".imputehub"
