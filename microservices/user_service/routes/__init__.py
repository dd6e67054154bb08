"""The HTTP interface, one module per activity."""
