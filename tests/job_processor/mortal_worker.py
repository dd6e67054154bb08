"""A job worker that dies (-9) at a line of our own code, which it names with its last words.

    python -m tests.job_processor.mortal_worker FILE NTH … (as for celery)

It dies at the NTH line that is carried out in FILE, by whichever thread; NTH 0: never.
"""

import os
import signal
import sys
import threading
from types import FrameType
from typing import Any

from celery.__main__ import main

LAST_WORDS = "killed at"


def die_at(file: str, nth: int) -> None:
    left = nth

    def trace_call(frame: FrameType, _event: str, _arg: Any) -> Any:
        code = frame.f_code
        return trace_line if code.co_filename.endswith(f"/{file}") and code.co_name != "<module>" else None

    def trace_line(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal left
        if event == "line":
            left -= 1
            if left == 0:
                os.write(2, f"{LAST_WORDS} {file}:{frame.f_lineno}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)
        return trace_line

    threading.settrace(trace_call)
    sys.settrace(trace_call)


if __name__ == "__main__":
    if int(sys.argv[2]):
        die_at(sys.argv[1], int(sys.argv[2]))
    sys.argv[1:3] = []
    main()
