"""The Celery worker: `celery -A microservices.job_processor.worker:app worker -B -P threads`."""

from celery import Celery

from microservices.job_processor.logic.engine import start_engine
from microservices.job_processor.settings import Settings
from microservices.job_processor.tasks import BEAT, ROUTES, register_tasks
from microservices.kernel.tasks import create_celery


def create(settings: Settings) -> Celery:
    app = create_celery(
        "job_worker", settings.broker_url.get_secret_value(), log_level=settings.log_level, beat=BEAT, routes=ROUTES
    )
    register_tasks(app, start_engine(settings))
    return app


def __getattr__(name: str) -> Celery:
    # Celery asks this module for `app`; made only then, so that importing the module reads no environment.
    if name != "app":
        raise AttributeError(name)
    app = create(Settings())
    globals()["app"] = app
    return app
