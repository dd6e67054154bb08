"""Bytes, their checksums, and what the check of a VCF found."""
