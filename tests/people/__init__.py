"""One person, several addresses."""
