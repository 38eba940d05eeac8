"""The vendor's wire."""
