"""The two links that the box lives by, to Twilio and to the model's provider: whether they hold, and what ails them."""
