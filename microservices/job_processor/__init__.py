"""Jobs and their runs: accepted here, brought to each site once, watched, and their results brought home."""
