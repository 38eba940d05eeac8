"""Twilio's log and our books of a day, side by side: so many there, so many here, each settled as what."""
