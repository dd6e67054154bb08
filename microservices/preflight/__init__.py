"""The rules of a VCF check: pure functions on files. No database, no settings, nothing of the services."""

from microservices.preflight.check import check_vcf
from microservices.preflight.report import BuildEvidence, Issue, QualityReport

__all__ = ["BuildEvidence", "Issue", "QualityReport", "check_vcf"]
