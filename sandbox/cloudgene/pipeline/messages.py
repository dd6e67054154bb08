"""What the pipeline tells the site: JSON lines on standard output, one message each."""

import json
import sys
from dataclasses import asdict, dataclass
from enum import IntEnum, StrEnum


class Kind(IntEnum):
    """The `type` of a message."""

    OK = 0
    ERROR = 1
    WARNING = 2
    RUNNING = 3


class Group(StrEnum):
    """The steps of a job, in order."""

    VALIDATION = "Input Validation"
    QUALITY = "Quality Control"
    IMPUTATION = "Phasing and Imputation"
    SUMMARY = "Summary"


@dataclass(frozen=True)
class Message:
    """A message with a `task` takes the place of the one before it of the same task."""

    group: str
    text: str
    kind: int
    task: str = ""


def tell(group: Group, text: str, kind: Kind = Kind.OK, task: str = "") -> None:
    """Says it at once, so that people can watch."""
    sys.stdout.write(json.dumps(asdict(Message(group.value, text, kind.value, task))) + "\n")
    sys.stdout.flush()


def tell_progress(title: str, done: int, total: int) -> None:
    """`<b>Imputation (3/4)</b>` and a bar, running until all is done."""
    bar = "" if done == total else _draw_bar(100 * done // total)
    kind = Kind.OK if done == total else Kind.RUNNING
    tell(Group.IMPUTATION, f"<b>{title} ({done}/{total})</b>{bar}", kind, task=title)


def _draw_bar(percent: int) -> str:
    return f'<div class="progress"><div class="progress-bar" style="width: {percent}%"></div></div>'
