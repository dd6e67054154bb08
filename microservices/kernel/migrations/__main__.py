"""`python -m microservices.kernel.migrations SERVICE…` migrates each, its address in `<SERVICE>_DATABASE_URL`."""

import os
import sys

from microservices.kernel.logs import configure_logs
from microservices.kernel.migrations import migrate_database

if __name__ == "__main__":
    configure_logs("migrations", os.environ.get("LOG_LEVEL", "INFO"))
    for name in sys.argv[1:]:
        setting = f"{name.upper()}_DATABASE_URL"
        if setting not in os.environ:
            sys.exit(f"{setting} is not set: where is the database of {name}?")
        migrate_database(name, os.environ[setting])
