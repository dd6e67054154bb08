"""Probing our services, keeping what was found, and summing it up."""
