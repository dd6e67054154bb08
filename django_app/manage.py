"""Django's commands: `python -m django_app.manage migrate`."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_app.config.settings")
    execute_from_command_line(["python -m django_app.manage", *sys.argv[1:]])


if __name__ == "__main__":
    main()
