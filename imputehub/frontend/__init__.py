"""The browser's side, seen from Python: making `frontend/dist`, and the description its API client is made from."""

from pathlib import Path

# The checkout: the frontend is built where its sources are.
ROOT = Path(__file__).resolve().parents[2]


class FrontendError(Exception):
    """Says in words what stands in the way, and what to do."""
