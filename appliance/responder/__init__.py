"""Who answers: adapters of the Responder port. They know words and rules, never the store or each other."""
