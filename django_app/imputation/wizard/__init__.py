"""Setting up a site in steps: address, what answered, access, panels, review; nothing is saved before the last."""
