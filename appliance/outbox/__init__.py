"""Saying it once: the outbox's life from draft to delivered, and what is done when nobody knows."""
