"""A message list that is behind: by filter, by message, by replica."""

import pytest

from appliance.simulator import Entry, Fault, Query, by_filter, each_its_own, replicas
from tests.simulator.simulated_world import CUSTOMER, SDK_WARNINGS, SMS, World

pytestmark = SDK_WARNINGS
SECOND = 1_000


async def test_the_two_reads_are_not_equally_late(world: World) -> None:
    """The list by To is a minute behind while the one by From shows the message."""
    world.twilio.lag = by_filter(recipient=60)
    await world.send()

    assert (await world.bodies(to=CUSTOMER), await world.bodies(from_=SMS)) == ([], ["Olá"])
    world.clock[0] += 60 * SECOND
    assert await world.bodies(to=CUSTOMER) == ["Olá"]


async def test_each_message_is_late_by_itself(world: World) -> None:
    """Younger messages are shown before older ones, in every read the same, and in the end all of them are."""
    world.twilio.lag = each_its_own(100, seed=2)
    for number in range(8):
        await world.send(body=str(number))
        world.clock[0] += SECOND
    world.clock[0] += 30 * SECOND
    early = await world.bodies()
    again = await world.bodies(page_size=1)
    world.clock[0] += 100 * SECOND

    assert early == again
    assert 0 < len(early) < 8
    assert early != [str(number) for number in range(len(early))][::-1]
    assert await world.bodies() == list("76543210")


async def test_replicas_jump_back(world: World) -> None:
    """What one read showed the next one hides, and the one after that shows again."""
    world.twilio.lag = replicas(60, 0)
    await world.send()

    assert [await world.bodies() for _ in range(4)] == [["Olá"], [], ["Olá"], []]
    world.clock[0] += 60 * SECOND
    assert [await world.bodies() for _ in range(2)] == [["Olá"], ["Olá"]]


async def test_a_lag_of_ones_own(world: World) -> None:
    """Any function of query and message will do; it is asked about what fits, and each request has its number."""
    asked: list[tuple[int, str, str]] = []

    def lag(query: Query, entry: Entry) -> float:
        asked.append((query.read, query.recipient, entry.body))
        return 0.0

    world.twilio.lag = lag
    await world.send()
    await world.send(to="+5511900000000")
    await world.bodies(to=CUSTOMER)
    await world.bodies()

    assert asked[0] == (1, CUSTOMER, "Olá")
    assert [read for read, *_ in asked] == [1, 2, 2]


@pytest.mark.parametrize(("fault", "own"), [(60, 30), (30, 60)])
async def test_the_longer_lag_counts(world: World, fault: int, own: int) -> None:
    """A fault and the account's own lag do not add up; a message counts from when it was created."""
    world.twilio.lag = lambda _query, _entry: own
    world.twilio.faults.add(Fault("list", "lag", seconds=fault, times=None))
    await world.send()
    world.clock[0] += 59 * SECOND
    before = await world.bodies()
    world.clock[0] += SECOND

    assert (before, await world.bodies()) == ([], ["Olá"])
