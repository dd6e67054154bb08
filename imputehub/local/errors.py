class LocalPlatformError(Exception):
    """Something on this machine keeps the platform from running; the message says what and what to do."""


class AlreadyRunningError(LocalPlatformError):
    """Another supervisor holds this state directory."""


class NotReadyError(LocalPlatformError):
    """A process did not become ready; the message holds the end of its log."""


class NotRunningError(LocalPlatformError):
    """There is no supervisor to talk to."""
