"""`python -m sandbox.simulator --out DIR --seed N`: simulate, and print the paths as JSON."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from sandbox.genome import BUILDS
from sandbox.simulator.cohort import SimulationError, simulate_cohort


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="sandbox.simulator", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the cohort and its truth")
    parser.add_argument("--panel-folder", type=Path, help="folder for the panel (default: OUT/panel)")
    parser.add_argument("--seed", type=int, required=True, help="the same seed gives the same files")
    parser.add_argument("--build", choices=BUILDS, default="hg38")
    parser.add_argument("--samples", type=int, default=50, help="people in the cohort")
    parser.add_argument("--panel-haplotypes", type=int, default=1000)
    parser.add_argument("--length", type=float, default=3e6, help="base pairs")
    parser.add_argument("--typed", type=int, default=1500, help="typed sites, at most")
    return parser.parse_args()


def main() -> int:
    """Exit code 0, or 2 when the numbers do not make a cohort."""
    arguments = read_arguments()
    arguments.length = int(arguments.length)
    try:
        simulation = simulate_cohort(arguments.out, **{k: v for k, v in vars(arguments).items() if k != "out"})
    except SimulationError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(json.dumps(asdict(simulation), default=str, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
