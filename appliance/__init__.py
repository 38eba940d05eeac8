"""Answers a small business's customers on Twilio from one small box and never loses a message."""

__version__ = "0.1.0"
