"""The one file."""
