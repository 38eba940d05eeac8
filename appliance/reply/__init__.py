"""What is said to a customer: rules first, then a responder, and a fixed text where neither has an answer."""
