"""Our own processes for people to see: what the supervisor says of each, and what each says of itself."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings

from django_app.config.probing import ServiceState, Usage, probe_foundations, probe_services
from django_app.config.supervisor import Supervisor, SupervisorError

_LOOKS = {"ready": "success", "unready": "warning", "starting": "warning"}
_ORDER = ("service", "django", "worker", "database", "cache", "sandbox")
_KINDS = {"postgresql": "database", "valkey": "cache", "django_worker": "worker", "django": "django"}


@dataclass(frozen=True)
class Process:
    """`state`: ready, unready (answers, and cannot work), down, or the supervisor's starting, failed, stopped."""

    name: str
    kind: str
    state: str
    error: str = ""
    version: str = ""
    latency_ms: float | None = None
    usage: Usage = field(default_factory=Usage)
    restarts: int | None = None

    @property
    def look(self) -> str:
        return _LOOKS.get(self.state, "danger")

    @property
    def uptime_s(self) -> int | None:
        return None if self.usage.uptime is None else int(self.usage.uptime.total_seconds())


@dataclass(frozen=True)
class Overview:
    processes: list[Process]
    problem: str = ""

    @property
    def ready_count(self) -> int:
        return sum(process.state == "ready" for process in self.processes)

    @property
    def is_settled(self) -> bool:
        return all(process.state == "ready" for process in self.processes)


async def survey_processes(supervisor: Supervisor | None) -> Overview:
    """Everything is asked at once. `problem`: why the supervisor says nothing, where there is one."""
    services, foundations, (told, problem) = await asyncio.gather(
        probe_services(settings.ENVIRONMENT.service_urls), probe_foundations(), _ask_supervisor(supervisor)
    )
    return Overview(merge_states([*services, *foundations], told), problem)


async def _ask_supervisor(supervisor: Supervisor | None) -> tuple[dict[str, Any], str]:
    try:
        return (await supervisor.ask("status"), "") if supervisor else ({}, "")
    except SupervisorError as error:
        return {}, str(error)


def merge_states(probed: Iterable[ServiceState], told: Mapping[str, Any]) -> list[Process]:
    """`told`: the supervisor's answer to `status`; empty without one."""
    states = {state.name: state for state in probed}
    supervised = {process["name"]: process for process in told.get("processes", ())}
    uptimes: Mapping[str, float] = told.get("uptime_s", {})
    names = dict.fromkeys([*states, *supervised])
    found = [_merge(name, states.get(name), supervised.get(name), uptimes.get(name)) for name in names]
    return sorted(found, key=lambda process: _ORDER.index(process.kind) if process.kind in _ORDER else len(_ORDER))


def _merge(
    name: str, probed: ServiceState | None, supervised: Mapping[str, Any] | None, uptime_s: float | None
) -> Process:
    own = probed or ServiceState(name, "down")
    if supervised is None:
        kind = _KINDS.get(name, "service")
        return Process(name, kind, own.state, own.error, own.version, own.latency_ms, own.usage)
    state = own.state if probed and supervised["state"] == "ready" else supervised["state"]
    usage = Usage(
        own.usage.error_percent,
        int(supervised["memory_mb"] * 2**20) or own.usage.memory_bytes,
        own.usage.uptime if uptime_s is None else timedelta(seconds=int(uptime_s)),
    )
    retry_s = supervised.get("retry_in_s")
    error = f"it ended; the next try is in {retry_s} s" if retry_s is not None else own.error
    if state == "stopped":
        error = "it was stopped, and stays so until it is started"
    latency_ms = own.latency_ms if state != "stopped" else None
    return Process(name, supervised["kind"], state, error, own.version, latency_ms, usage, supervised["restarts"])
