"""A message comes in, by webhook or from Twilio's log: stored once, its words about consent heeded."""
