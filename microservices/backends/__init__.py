"""Adapters to foreign sites: one module per protocol, and a one-line registry of them."""
