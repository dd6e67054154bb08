"""The Michigan family of imputation servers (Cloudgene with `imputationserver2`, and its Hadoop predecessor)."""

from microservices.backends.michigan.backend import MichiganBackend

__all__ = ["MichiganBackend"]
