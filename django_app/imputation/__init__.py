"""Curation of imputation sites and their reference panels. Django is the only writer of both."""
