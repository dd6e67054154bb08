"""What is done with files, by activity: received, checked, served, deleted."""
