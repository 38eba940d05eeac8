"""Twilio answers 503 to every POST for a while: everybody is answered once, and nothing is left to the owner.

LAB_CUSTOMERS=20,500 runs it with more customers than `make test` does.
"""

import os
from pathlib import Path

import pytest

from appliance.simulator import Fault
from tests.outbox.scene import ANSWER, MINUTES, QUESTION, letters, pass_, posts
from tests.support.world import ManualClock, World

CUSTOMERS = [int(number) for number in os.environ.get("LAB_CUSTOMERS", "20").split(",")]
REFUSING = Fault("create", "error", status=503)
TAKING = Fault("create", "error", status=503, accepted=True)
LAG = Fault("list", "lag", seconds=600, times=None)
LOST = Fault("callback", "lost", times=None)
SECONDS, HOURS = 1.0, 3600.0


class Incident:
    """A world with a Twilio whose callbacks are lost and whose list is ten minutes behind."""

    def __init__(self, world: World, customers: int, *, accepted: bool) -> None:
        self.world = world
        self.customers = [f"+55119{number:08}" for number in range(customers)]
        self.accepted = accepted
        self.made = posts(world)

    def begins(self) -> None:
        """503 to every POST; with `accepted` Twilio has every other message all the same."""
        self.world.twilio.faults.clear()
        self.world.twilio.faults.add(LAG, LOST, *([REFUSING, TAKING] if self.accepted else [REFUSING]) * 5_000)

    def ends(self) -> None:
        self.world.twilio.faults.clear()
        self.world.twilio.faults.add(LAG, LOST)

    async def everybody_asks(self) -> None:
        for customer in self.customers:
            await self.world.say(QUESTION, customer)

    async def until_settled(self, longest: float) -> float:
        """Minutes that pass until nothing is open any more."""
        passed = 0.0
        while passed < longest and await self.open():
            await pass_(self.world, MINUTES)
            passed += MINUTES
        return passed / MINUTES

    async def open(self) -> bool:
        states = "('ready', 'sending', 'doubt')"
        live = "SELECT 1 FROM dispositions WHERE disposition = 'live'"
        return bool(await self.world.column(f"SELECT 1 FROM outbox WHERE state IN {states} UNION ALL {live} LIMIT 1"))

    async def says_that_all_is_well(self, answers: int) -> None:
        sent = {customer: self.world.sent(customer) for customer in self.customers}
        assert {customer: texts for customer, texts in sent.items() if texts != [ANSWER] * answers} == {}
        assert set(await self.world.dispositions()) == {"answered"}
        assert await self.world.column("SELECT count(*) FROM outbox WHERE state = 'parked'") == [0]
        assert await letters(self.world) == []
        assert await self.world.cards() == []


def tell(capsys: pytest.CaptureFixture[str], text: str) -> None:
    with capsys.disabled():
        print(f"\n{text}")


@pytest.mark.parametrize("accepted", [False, True], ids=["none accepted", "half accepted"])
@pytest.mark.parametrize("lasting", [16 * SECONDS, 200 * SECONDS, 2 * HOURS], ids=["16 s", "200 s", "2 h"])
@pytest.mark.parametrize("customers", CUSTOMERS)
async def test_an_incident_eats_no_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], customers: int, lasting: float, *, accepted: bool
) -> None:
    """503 at first, and once more when what was absent is sent again. What was on its way when it began is in doubt,
    and a probe for each pause; everything else waits in its lane.
    """
    async with World(tmp_path, clock=ManualClock(), twilio={"catch_up_every": 0}) as world:
        await world.teach("Horário", ANSWER)
        incident = Incident(world, customers, accepted=accepted)
        places = world.config.queue.concurrency
        incident.begins()
        await incident.everybody_asks()
        await pass_(world, lasting)
        during = len(incident.made)
        incident.ends()
        await pass_(world, max(11.5 * MINUTES - lasting, MINUTES))  # the first ones are absent after 12
        before = len(incident.made)
        incident.begins()
        await pass_(world, 30 + lasting % HOURS)
        again = len(incident.made) - before
        incident.ends()
        minutes = await incident.until_settled(3 * HOURS)

        tell(
            capsys,
            f"{customers} customers, 503 for {lasting:g} s{', half accepted' if accepted else ''}: "
            f"{during} POSTs in it, {again} in the second, {len(incident.made)} in all, "
            f"the last answer {minutes:g} min after the second's end",
        )
        await incident.says_that_all_is_well(1)
        probes = 4 + int(lasting // 120)
        assert during <= min(places, customers) + probes
        assert again <= places + 4 + int(lasting // 120)


async def test_who_asks_again_during_an_incident_is_answered(tmp_path: Path) -> None:
    """Questions of before, of within and of after it; two seconds apart, so that each is answered by itself."""
    async with World(tmp_path, clock=ManualClock(), twilio={"catch_up_every": 0}) as world:
        await world.teach("Horário", ANSWER)
        incident = Incident(world, 5, accepted=False)
        incident.begins()
        await incident.everybody_asks()
        await pass_(world, 10)
        await incident.everybody_asks()
        await pass_(world, 30)
        incident.ends()
        await pass_(world, MINUTES)
        await incident.everybody_asks()
        await incident.until_settled(HOURS)

        assert set(await world.dispositions()) == {"answered"}
        assert {len(world.sent(customer)) for customer in incident.customers} <= {1, 2, 3}
        assert (await letters(world), await world.cards()) == ([], [])
