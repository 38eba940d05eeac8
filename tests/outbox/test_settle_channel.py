"""One read of a channel's log serves all customers of a pass."""

from pathlib import Path

from appliance.simulator import Fault
from tests.outbox.scene import MINUTES, NEIGHBOUR, QUESTION, pass_, unheard


async def test_the_read_goes_back_to_the_first_attempt_of_any_customer(tmp_path: Path) -> None:
    """The contact that is asked about first was written to last: the other's message is in the read all the same."""
    async with unheard(tmp_path) as world:
        await world.say("Oi", NEIGHBOUR)
        await pass_(world, 6)
        world.twilio.faults.add(Fault("create", "reset", times=None))
        await world.say(QUESTION)
        await pass_(world, 2.8 * MINUTES)
        await world.say(QUESTION, NEIGHBOUR)
        await pass_(world, 30)
        first = min(await world.column("SELECT started_at FROM attempts WHERE sid IS NULL"))
        assert len(set(await world.column("SELECT contact_id FROM outbox WHERE state = 'doubt'"))) == 2
        asked: list[int] = []
        log = world.log
        sent = log.sent

        async def noted(channel, since, *, ours=False):  # type: ignore[no-untyped-def]
            asked.append(since)
            return await sent(channel, since, ours=ours)

        log.sent = noted  # type: ignore[method-assign]
        await pass_(world, 6 * MINUTES)
        assert asked
        assert all(since <= first for since in asked)
