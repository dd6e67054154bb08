"""How the worker's messages travel: on queues of their own, done before they are gone, and by a real broker."""

from pathlib import Path

from microservices.job_processor import tasks
from microservices.kernel.tasks import create_celery
from tests.job_processor.environment import make_settings


def test_each_kind_of_work_has_its_own_queue_and_a_message_is_gone_only_once_it_is_done(tmp_path: Path) -> None:
    settings = make_settings("postgresql://x", "redis://127.0.0.1:1/0", "http://127.0.0.1:1", tmp_path)
    broker_url = settings.broker_url.get_secret_value()
    app = create_celery("x", broker_url, log_level="INFO", beat=tasks.BEAT, routes=tasks.ROUTES)
    kinds = (tasks.SUBMIT_TASK, tasks.POLL_TASK, tasks.COLLECT_TASK)
    queues = [app.amqp.router.route({}, kind)["queue"].name for kind in kinds]
    assert queues == ["job.submit", "job.poll", "job.collect"]
    assert set(queues) <= set(app.amqp.queues)
    assert (app.conf.task_acks_late, app.conf.worker_prefetch_multiplier) == (True, 1)
    assert app.conf.task_always_eager is False
