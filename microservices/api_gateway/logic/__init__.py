"""What the front door decides and does with a request."""
