"""The platform on one machine: embedded PostgreSQL and Valkey, and a supervisor for all processes."""
