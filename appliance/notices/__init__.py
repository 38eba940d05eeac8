"""What the owner is told: cards, in words and in the reader's language, and the alerts that carry them out of the box."""
