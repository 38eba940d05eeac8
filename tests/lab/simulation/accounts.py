"""Two accounts that share a number, as the WhatsApp sandbox's is: one of them is hurt, the other one must not notice.

`LAB_ACCOUNTS=50000 pytest tests/lab/test_accounts.py` is the long form.
"""

from dataclasses import replace

from appliance.model import MAIN, MINUTE, SECOND
from tests.lab.simulation.chance import chance
from tests.lab.simulation.terms import OTHER, Scenario


def of_two(scenario: Scenario) -> Scenario:
    """The scenario, where every other customer writes through the second account. What is amiss befalls one account, or
    both at once; an account that refuses everything for a while has its list closed as well.
    """
    dice = chance(scenario.seed, 4)
    start = dice.between(0, 10) * MINUTE
    length = dice.pick((20 * SECOND, 3 * MINUTE, 20 * MINUTE))
    return replace(
        scenario,
        name=f"two accounts, {scenario.name}",
        written=tuple(replace(each, contact=each.contact or dice.below(2)) for each in scenario.written),
        second=True,
        hurt=dice.pick(("", MAIN, OTHER, OTHER)),
        cut=(start, start + length) if dice.one_in(3) else (0, 0),
    )
