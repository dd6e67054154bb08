"""`python -m sandbox.cloudgene --port P --data-dir DIR`: one imputation site."""

import argparse
import os
import sys
from pathlib import Path

import uvicorn

from sandbox.cloudgene.accounts import AccountsFileError, import_accounts
from sandbox.cloudgene.app import create_app
from sandbox.cloudgene.database import open_database
from sandbox.cloudgene.faults import FaultGate
from sandbox.cloudgene.settings import SiteSettings
from sandbox.engine.choice import ENGINE_NAMES
from sandbox.engine.window import EngineError


def read_arguments() -> argparse.Namespace:
    """Everything but address and accounts is a field of SiteSettings."""
    parser = argparse.ArgumentParser(prog="sandbox.cloudgene", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8101)
    parser.add_argument("--accounts", type=Path, help="JSON list of username, password, name, mail, admin")
    parser.add_argument("--data-dir", type=Path, required=True, help="jobs, panels/*/, database; made if missing")
    parser.add_argument("--name", default=SiteSettings.name, help="shown to people")
    parser.add_argument("--engine", choices=ENGINE_NAMES, default=os.environ.get("SANDBOX_ENGINE", "auto"))
    parser.add_argument("--settle-seconds", type=float, default=SiteSettings.settle_seconds)
    parser.add_argument("--retention-days", type=float, default=SiteSettings.retention_days, help="0: for ever")
    for field in ("slots", "processes", "max_jobs_per_user", "max_downloads", "max_upload_bytes"):
        _add_number(parser, field)
    for field in ("chunk_size", "overlap", "min_samples", "max_samples"):
        _add_number(parser, field)
    return parser.parse_args()


def _add_number(parser: argparse.ArgumentParser, field: str) -> None:
    parser.add_argument(f"--{field.replace('_', '-')}", type=int, default=getattr(SiteSettings, field))


def main() -> int:
    """Exit code 2 when the site cannot start as it was told to."""
    arguments = vars(read_arguments())
    os.umask(0o077)  # genotypes and accounts are nobody else's business on a shared machine
    host, port, accounts = (arguments.pop(name) for name in ("host", "port", "accounts"))
    settings = SiteSettings(**arguments)
    try:
        app = create_app(settings)
        if accounts:
            database = open_database(settings.data_dir / "site.sqlite3")
            import_accounts(database, accounts)
            database.close()
    except (EngineError, AccountsFileError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    uvicorn.run(FaultGate(app, app.state.control), host=host, port=port, log_level="info", access_log=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
