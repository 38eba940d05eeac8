"""Is this box ready for customers? Each file looks at one thing and returns findings; it changes nothing by itself."""
