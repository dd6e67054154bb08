"""Django is set up when the first of these tests is imported, with settings as they are without an environment: models
cannot be imported before. `conftest.py` gives it a database, a broker and peers."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "django_app.config.settings")
django.setup()
