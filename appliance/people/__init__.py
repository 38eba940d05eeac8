"""One person, several addresses: which contacts are the same customer, and who says so."""
