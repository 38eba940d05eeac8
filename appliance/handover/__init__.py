"""Who answers a customer, the appliance or a person: how a hand-over begins, goes on and ends."""
