"""Deterministic simulation: the real use cases on the real SQL; time, chance, the model and Twilio are seeded."""
