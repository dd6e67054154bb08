"""The curation API: what the admin can do, for programs. Curators and administrators only."""
