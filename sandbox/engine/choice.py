"""Which engine a site uses, and which data it must refuse."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from sandbox.engine.external import impute_by_beagle, impute_by_minimac
from sandbox.engine.li_stephens import impute_windows
from sandbox.engine.window import Dosages, EngineError, Window

EngineName = Literal["auto", "beagle", "minimac4", "lshmm"]
ENGINE_NAMES: tuple[EngineName, ...] = get_args(EngineName)

NO_PHASING = "no_phasing"


@dataclass(frozen=True)
class Engine:
    """`title` is for people; only an engine that `phases` may be given unphased calls."""

    name: EngineName
    title: str
    phases: bool
    impute: Callable[[Iterator[Window], int], Iterator[tuple[Window, Dosages]]]


_ENGINES = {
    "beagle": Engine("beagle", "Beagle", True, impute_by_beagle),
    "minimac4": Engine("minimac4", "Minimac4", False, impute_by_minimac),
    "lshmm": Engine("lshmm", "Li-Stephens (lshmm)", False, impute_windows),
}


def choose_engine(name: str) -> Engine:
    """`auto` takes the first program that is on the machine; raises EngineError for one that is not."""
    if name == "auto":
        name = next((program for program in ("beagle", "minimac4") if shutil.which(program)), "lshmm")
    if name not in _ENGINES:
        raise EngineError(f"Unknown imputation engine '{name}': choose one of {', '.join(ENGINE_NAMES)}.")
    if name != "lshmm" and not shutil.which(name):
        raise EngineError(f"The imputation engine '{name}' is not installed on this machine.")
    return _ENGINES[name]


def check_phasing(engine: Engine, phased: bool, phasing: str) -> None:
    """Raises EngineError for unphased data that nobody would phase."""
    if phased:
        return
    if phasing == NO_PHASING:
        raise EngineError("Your input data is unphased. Please select an algorithm for phasing.")
    if not engine.phases:
        raise EngineError(
            f"Your input data is unphased, and this site has no phasing engine (phasing '{phasing}' was selected). "
            "Please upload phased data."
        )
