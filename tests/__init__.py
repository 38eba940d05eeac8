"""The tests, in the product's own rooms; `support/` is what they share, `lab/` the crash laboratory."""
