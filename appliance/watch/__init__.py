"""Looks every few seconds at what may be wrong with the box, and sees that the owner hears of it."""
