"""What people can ask, and the channel on which they are told."""
