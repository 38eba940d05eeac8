"""What a customer's words say."""
