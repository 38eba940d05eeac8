"""What goes wrong around the box, and what its owner sees of it."""
