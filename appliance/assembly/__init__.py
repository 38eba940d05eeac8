"""What is swapped at the edges, made of the configuration. The engine puts the rest together over it."""
