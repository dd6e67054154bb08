"""Is this a code of the account's app, or one of its recovery codes?

Six digits are few: of wrong ones an account has `_LIMIT` an hour, whoever gives them and wherever from. Only who knows
the password comes so far, so strangers lock nobody out; and recovery codes, which nobody guesses, go on working.
"""

import math
import re
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from microservices.kernel.crypto import FieldCipher
from microservices.user_service import queries
from microservices.user_service.errors import TooManyAttemptsError
from microservices.user_service.logic.one_time_codes import find_step
from microservices.user_service.logic.recovery_codes import hash_code, is_recovery_code
from microservices.user_service.models import SecondFactor

_LIMIT = 10
_WINDOW = timedelta(hours=1)

Kind = Literal["app", "recovery"]


def take_code(session: Session, cipher: FieldCipher, factor: SecondFactor, given: str, now: datetime) -> Kind | None:
    """What kind of code it was; it is used up. None: a wrong one, whose count the caller must commit.

    `factor` is locked. Raises `TooManyAttemptsError`.
    """
    code = re.sub(r"[\s-]+", "", given).lower()
    if is_recovery_code(code):
        used = queries.use_recovery_code(session, factor.user_id, hash_code(factor.user_id, code), now)
        return "recovery" if used else None
    _require_patience(factor, now)
    step = find_step(cipher.decrypt(factor.secret), code, now)
    if step is None or (factor.last_step is not None and step <= factor.last_step):
        _count_wrong(factor, now)
        return None
    factor.last_step, factor.wrong_codes, factor.wrong_since = step, 0, None
    return "app"


def _require_patience(factor: SecondFactor, now: datetime) -> None:
    if factor.wrong_since is None or now >= factor.wrong_since + _WINDOW:
        factor.wrong_codes, factor.wrong_since = 0, None
    elif factor.wrong_codes >= _LIMIT:
        wait = factor.wrong_since + _WINDOW - now
        raise TooManyAttemptsError(max(1, math.ceil(wait.total_seconds())), "codes were wrong")


def _count_wrong(factor: SecondFactor, now: datetime) -> None:
    factor.wrong_codes += 1
    factor.wrong_since = factor.wrong_since or now
