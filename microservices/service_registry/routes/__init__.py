"""The registry's HTTP interface, by activity."""
