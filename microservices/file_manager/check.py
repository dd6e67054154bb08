"""`python -m microservices.file_manager.check FILE SECONDS`: check one VCF, print the report as JSON.

A process of its own, because the check is minutes of CPU in numpy on bytes from strangers: in a thread it would take
the interpreter from the event loop, keep its arrays' memory in a service that has 75 MB, and could be neither
stopped nor survived.
"""

import os
import signal
import sys
from pathlib import Path

from microservices.preflight import check_vcf

_NICENESS = 5  # people's requests first

if __name__ == "__main__":
    path, limit_s = sys.argv[1:]
    os.nice(_NICENESS)
    # Ends this process also when the service that started it is gone, and nobody else would.
    signal.alarm(int(limit_s))
    sys.stdout.write(check_vcf(Path(path)).model_dump_json())
