"""What people are told about what concerns them."""
