"""What the service does, free of the web framework."""
