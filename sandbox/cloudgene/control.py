"""What somebody who tries things out has told the site to be like; it forgets all of it when it ends.

The key that opens this lies in the site's own data folder: who can read that owns the site.
"""

import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

Fault = Literal[
    "drop",
    "drop_after_accept",
    "hang",
    "error_500",
    "unavailable",
    "busy",
    "html",
    "half_json",
    "wrong_size",
    "slow",
    "broken_download",
    "truncated_archive",
    "spoilt_archive",
    "lose_chunk",
    "lose_chromosome",
    "give_up",
]
Operation = Literal["any", "submit", "list", "job", "cancel", "restart", "download", "server", "token", "run", "other"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
# Where a fault happens if nobody says where.
_PLACES: dict[Fault, Operation] = {
    "drop_after_accept": "submit",
    "wrong_size": "job",
    "slow": "download",
    "broken_download": "download",
    "truncated_archive": "download",
    "spoilt_archive": "download",
    "lose_chunk": "run",
    "lose_chromosome": "run",
    "give_up": "run",
}


@dataclass
class Rule:
    """`times`: how often it still happens; None: until it is taken back."""

    fault: Fault
    on: Operation
    times: int | None

    def fits(self, operation: Operation) -> bool:
        return self.on == operation or (self.on == "any" and operation != "run")


@dataclass
class Control:
    """`paused`: no waiting job begins. `max_jobs_per_user` in place of the setting."""

    key: str
    rules: list[Rule] = field(default_factory=list)
    paused: bool = False
    max_jobs_per_user: int | None = None

    def take_fault(self, operation: Operation) -> Fault | None:
        """What is to go wrong now, the oldest rule first; it is used up once."""
        rule = next((rule for rule in self.rules if rule.fits(operation)), None)
        if rule is None:
            return None
        if rule.times is not None:
            rule.times -= 1
            if rule.times == 0:
                self.rules.remove(rule)
        return rule.fault


def find_place(fault: Fault) -> Operation:
    return _PLACES.get(fault, "any")


def read_key(path: Path) -> str:
    """Made at the first start, for the owner of the data folder only.

    An empty one, of a start that was cut short, would open the site to everybody.
    """
    path.touch(mode=0o600)
    if not path.read_text(encoding="utf-8"):
        path.write_text(secrets.token_urlsafe(32), encoding="utf-8")
    return path.read_text(encoding="utf-8")
