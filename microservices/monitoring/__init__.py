"""What is measured about the platform, and what it says to operators."""
