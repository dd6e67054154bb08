"""Structured logs: one JSON object a line on standard output, each with the request's id.

Secrets are dropped by name at the last moment, so that a careless call cannot leak one.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_NAME = re.compile(r"passw|secret|token|authorization|credential|api[-_]?key|signature", re.IGNORECASE)
_SAFE_NAMES = {"token_id", "credential_source"}


def redact_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name in event:
        if _SECRET_NAME.search(name) and name not in _SAFE_NAMES:
            event[name] = "[redacted]"
    return event


def configure_logs(service: str, level: str = "INFO") -> None:
    """Route structlog and the standard library's logging to JSON lines of one shape."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redact_secrets,
    ]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )

    def name_service(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                name_service,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "celery", "alembic"):
        logging.getLogger(name).handlers = []
        logging.getLogger(name).propagate = True
    # Requests are logged by us, without their query, which may hold a signature; ticks of a beat are no news.
    logging.getLogger("uvicorn.access").disabled = True
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    for name in ("httpx", "httpcore", "aiohttp.access", "celery.beat", "celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """uvicorn logs the opening of a WebSocket with its query, and takes a refused one for the application's fault,
    though the refusal was sent; whoever refuses says so in a line of their own.
    """
    return not any(text in str(record.msg) for text in ('"WebSocket %s"', "without completing handshake"))


def get_logger(name: str) -> Any:
    return structlog.get_logger(name)
