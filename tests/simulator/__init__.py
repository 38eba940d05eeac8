"""The simulated Twilio by itself: what the official SDK and an appliance double see of it."""
