"""`python -m sandbox.cloudgene.pipeline`: one job, described by a line on standard input.

The line stays open while the site lives: when it ends, so does the pipeline with all its processes, and a site
that was killed leaves no work behind that nobody waits for.
"""

import os
import signal
import sys
import threading
import traceback

from sandbox.cloudgene.pipeline.messages import Group, Kind, tell
from sandbox.cloudgene.pipeline.task import PipelineError, load_task
from sandbox.cloudgene.pipeline.workflow import run_workflow
from sandbox.engine.window import EngineError
from sandbox.panel import PanelError

NICENESS = 10  # the site must answer while engines compute


def watch_site() -> None:
    """Ends this process group when the site closes the line. Reads below `sys.stdin`, whose lock must be free when
    the engine forks."""
    os.read(0, 1)
    os.killpg(os.getpgrp(), signal.SIGKILL)


def main() -> int:
    """Exit code 0, or 1 when the job failed."""
    os.nice(NICENESS)
    task = load_task(sys.stdin.readline())
    threading.Thread(target=watch_site, daemon=True).start()
    try:
        run_workflow(task)
    except (PipelineError, EngineError, PanelError) as error:
        sys.stderr.write(f"{error}\n")
    except Exception:
        traceback.print_exc()
    else:
        return 0
    tell(Group.SUMMARY, "Pipeline execution failed.", Kind.ERROR)
    tell(Group.SUMMARY, "Imputation job failed.", Kind.ERROR)
    return 1


if __name__ == "__main__":
    sys.exit(main())
