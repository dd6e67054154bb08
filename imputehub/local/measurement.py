"""What a running process costs, and since when it runs."""

import time

import psutil


def measure_memory(pid: int) -> float:
    """MB (2^20 bytes) of the process and its descendants; shared pages count in proportion where Linux says so."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.Error:
        return 0.0
    return round(sum(_measure_one(member) for member in family) / 2**20, 1)


def _measure_one(process: psutil.Process) -> int:
    """Bytes; 0 for one that has just ended, as PostgreSQL's do with their connections."""
    try:
        info = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(info, "pss", info.rss))


def measure_uptime(pid: int) -> float:
    """Seconds; 0 for a process that has just ended."""
    try:
        return round(max(0.0, time.time() - psutil.Process(pid).create_time()), 1)
    except psutil.Error:
        return 0.0
