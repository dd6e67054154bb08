"""Simulated cohorts: a reference panel, a typed cohort and its kept truth from one ancestry."""

from sandbox.simulator.cohort import Simulation, simulate_cohort

__all__ = ["Simulation", "simulate_cohort"]
