"""When Twilio's list shows a message: it promises no time, and says nothing of an order either."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lab.simulation.world import World

_SHARDS = 4
_LATE_SHARD = 1  # has the first answer to the first message


def lag(world: "World", *, inbound: bool) -> int:
    """Milliseconds from now until a message that is written now is in the list, whichever replica is asked."""
    scenario, dice = world.scenario, world.dice
    match scenario.lag_kind:
        case "ordered":
            return scenario.lag
        case "own":
            return dice.between(0, scenario.lag)
        case "channel":
            return 0 if inbound else scenario.lag
        case "shards":
            return scenario.lag if len(world.entries) % _SHARDS == _LATE_SHARD else 0
        case "replicas":
            return 0
    return dice.between(scenario.lag if scenario.steady else scenario.lag // 2, scenario.lag)


def behind(world: "World", step: str) -> int:
    """Milliseconds by which this very read is behind what other reads show."""
    scenario = world.scenario
    late = scenario.sent_lag if step == "list.sent" else 0
    if scenario.lag_kind == "replicas":
        late += world.dice.pick((0, scenario.lag // 2, scenario.lag))
    return late
