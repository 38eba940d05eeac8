"""What a customer's words say before any model reads them. Pure."""
