class LocalPlatformError(Exception):
    """Something on this machine keeps the platform from running; the message says what and what to do."""
