"""Is the box ready for customers? Each thing broken for real, and repaired."""
