"""The demonstration: a real imputation through the whole platform, with data whose truth is known."""
