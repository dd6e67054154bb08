"""GA4GH Workflow Execution Service, 1.0 and 1.1, as its servers really speak it."""

from microservices.backends.ga4gh_wes.backend import WesBackend

__all__ = ["WesBackend"]
