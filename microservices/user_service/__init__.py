"""People, organisations, log-ins and the keys that sign them: the platform's authorisation server."""
