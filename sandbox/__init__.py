"""Imputation sites to try and test against, and a cohort simulator; independent of the platform's own code."""
