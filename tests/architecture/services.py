"""Our services, found by their folders, so that a new one is tested from its first day."""

from pathlib import Path

import microservices

FOLDER = Path(microservices.__file__).parent
SERVICES = sorted(path.parent.name for path in FOLDER.glob("*/main.py"))
