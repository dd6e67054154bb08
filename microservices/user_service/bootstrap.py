"""`python -m microservices.user_service.bootstrap` makes the accounts of a JSON list on standard input.

`[{"email", "password", "full_name", "roles": […], "organization": "…", "tier": "local"}]`; settings as the service's,
from the environment; the database is migrated before. Again is harmless. All or nothing.
"""

import sys
import uuid

from pydantic import TypeAdapter, ValidationError

from microservices.kernel.db import Database
from microservices.kernel.errors import ServiceError
from microservices.kernel.logs import configure_logs, get_logger
from microservices.user_service.logic.audit import Origin
from microservices.user_service.logic.provisioning import provision_account
from microservices.user_service.schemas import ProvisionedAccount
from microservices.user_service.settings import Settings

log = get_logger(__name__)


def bootstrap_accounts(settings: Settings, text: str) -> int:
    """The number of accounts that were made or changed. Raises `ValueError` or `ServiceError`, in clear words."""
    accounts = _read_accounts(text)
    database = Database(settings.database_url.get_secret_value(), pool_size=1, application_name="user_service")
    origin = Origin(address="bootstrap", request_id=uuid.uuid4().hex)
    try:
        with database.transaction() as session:
            return sum([provision_account(session, account, origin) for account in accounts])
    finally:
        database.dispose()


def _read_accounts(text: str) -> list[ProvisionedAccount]:
    try:
        return TypeAdapter(list[ProvisionedAccount]).validate_json(text)
    except ValidationError as error:
        # The values are not repeated: passwords are among them.
        findings = [f"{'.'.join(str(part) for part in found['loc'])}: {found['msg']}" for found in error.errors()]
        raise ValueError(f"The list of accounts is not valid. {'; '.join(findings)}") from None


def main() -> None:
    settings = Settings()
    configure_logs("user_service", settings.log_level)
    try:
        changed = bootstrap_accounts(settings, sys.stdin.read())
    except (ValueError, ServiceError) as error:
        sys.exit(str(error))
    log.info("accounts_bootstrapped", changed=changed)


if __name__ == "__main__":
    main()
