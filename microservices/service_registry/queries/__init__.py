"""Every statement that the registry sends to its database."""
