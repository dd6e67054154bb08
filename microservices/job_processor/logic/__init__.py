"""What happens to jobs and runs, by activity."""
