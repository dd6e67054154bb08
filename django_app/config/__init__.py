"""The process's frame: settings, addresses, entry points, health."""
