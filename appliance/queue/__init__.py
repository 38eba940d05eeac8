"""Jobs: when each runs, what its end means, and what holds it back."""
