"""What must reach the registry: written with the change, delivered after it, for ever."""
