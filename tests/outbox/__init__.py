"""Saying it once."""
