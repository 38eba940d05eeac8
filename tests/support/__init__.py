"""What tests share: the product in one process, the real process, fakes, questions. No tests here."""
