"""From what has happened to what people are told."""
