"""`python -m sandbox.engine --target F.vcf.gz --panel DIR --out DIR`: impute one chromosome.

Progress goes to standard output as JSON lines, `{"done": 1, "total": 6}`; the last line lists the files.
"""

import argparse
import json
import os
import sys
from pathlib import Path

from sandbox.engine.choice import ENGINE_NAMES, NO_PHASING
from sandbox.engine.imputation import Options, impute_chromosome
from sandbox.engine.window import EngineError
from sandbox.panel import PanelError, read_contig, read_description
from sandbox.vcf import VcfError, read_haplotypes


def read_arguments() -> argparse.Namespace:
    """The command line; the environment only says which engine is the default (`SANDBOX_ENGINE`)."""
    parser = argparse.ArgumentParser(prog="sandbox.engine", description=__doc__)
    parser.add_argument("--target", type=Path, required=True, help="typed calls, one chromosome, .vcf.gz")
    parser.add_argument("--panel", type=Path, required=True, help="folder of the panel")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--engine", choices=ENGINE_NAMES, default=os.environ.get("SANDBOX_ENGINE", "auto"))
    parser.add_argument("--phasing", default=NO_PHASING)
    parser.add_argument("--chunk-size", type=int, default=20_000_000, help="base pairs")
    parser.add_argument("--overlap", type=int, default=500_000, help="base pairs on each side of a chunk")
    parser.add_argument("--r2-filter", type=float, default=0.0)
    parser.add_argument("--meta", action="store_true", help="also write the leave-one-out dosages")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def print_line(**content: object) -> None:
    """One JSON object, at once."""
    sys.stdout.write(json.dumps(content, default=str) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Exit code 0, or 2 with the reason on standard error."""
    arguments = vars(read_arguments())
    target, panel, out = (arguments.pop(name) for name in ("target", "panel", "out"))
    try:
        description = read_description(panel)
        haplotypes = read_haplotypes(target)
        contig = read_contig(panel, haplotypes.contig)
        options = Options(panel=description.id, **arguments)
        report = lambda done, total: print_line(done=done, total=total)  # noqa: E731
        files = impute_chromosome(haplotypes, contig, out, options, report)
    except (EngineError, PanelError, VcfError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    print_line(files=files)
    return 0


if __name__ == "__main__":
    sys.exit(main())
