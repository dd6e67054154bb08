"""What people do with a platform from the command line: one module per group of commands, found by its name."""
