"""Jobs and when they run."""
