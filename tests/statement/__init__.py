"""Twilio's log and our books, day by day."""
