"""The front door itself, and the few addresses that are its own."""
