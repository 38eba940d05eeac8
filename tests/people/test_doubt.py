"""Sends in doubt to a person with several addresses: what stands in Twilio's log under any of them is seen."""

from pathlib import Path
from typing import Any

import msgspec

from appliance.outbox import settle
from tests.people.scene import (
    ANSWER,
    NUMBER,
    QUESTION,
    THERE,
    USER_ID,
    WHERE,
    by_hand,
    in_doubt,
    join,
    pass_,
    people,
    say,
    shop,
)
from tests.support.wire import callback
from tests.support.world import WHATSAPP, World

MINUTES = 60.0
GRACE = 3 * MINUTES


async def states(world: World) -> list[str]:
    return await world.column("SELECT state FROM outbox ORDER BY id")


def list_under(world: World, body: str, address: str) -> None:
    """Twilio has what went to the customer with this text under this address."""
    entry = next(each for each in reversed(list(world.twilio.ledger)) if not each.inbound and each.body == body)
    world.twilio.ledger.record(msgspec.structs.replace(entry, recipient=address))


async def test_equal_bodies_under_two_aliases_in_doubt(tmp_path: Path) -> None:
    """Two equal answers, one to each address, of which Twilio took one: it is bound, the other is sent once more, and
    the customer has two.
    """
    async with shop(tmp_path) as world:
        await join(world)
        await in_doubt(world, (QUESTION, NUMBER, True), (QUESTION, USER_ID, False))
        assert await states(world) == ["doubt", "doubt"]

        await pass_(world, 15 * MINUTES)

        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([ANSWER], [ANSWER])
        assert await world.column("SELECT count(DISTINCT sid) FROM outbox") == [2]
        assert await world.dispositions() == ["answered", "answered"]


async def test_equal_bodies_are_interchangeable(tmp_path: Path) -> None:
    """Twilio took both and lists both under the id: both are bound, and nothing is sent again."""
    async with shop(tmp_path) as world:
        await join(world)
        await in_doubt(world, (QUESTION, NUMBER, True))
        list_under(world, ANSWER, USER_ID)
        await in_doubt(world, (QUESTION, USER_ID, True))
        sids = [entry.sid for entry in world.twilio.ledger if not entry.inbound]

        await pass_(world, 15 * MINUTES)

        assert sorted(await world.column("SELECT sid FROM outbox")) == sorted(sids)
        assert len(world.sent(USER_ID)) == 2


async def test_a_send_that_is_listed_under_the_other_address_is_ours(tmp_path: Path) -> None:
    """The answer to the number stands in the log under the id: bound, not sent again."""
    async with shop(tmp_path) as world:
        await join(world)
        await in_doubt(world, (QUESTION, NUMBER, True))
        list_under(world, ANSWER, USER_ID)

        await pass_(world, 15 * MINUTES)

        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([], [ANSWER])
        assert await world.dispositions() == ["answered"]


async def test_what_twilio_calls_the_customer_is_asked_for_before_anybody_writes_by_it(tmp_path: Path) -> None:
    """The webhook told the id, by which nobody has written yet; the log lists our answer under it."""
    async with shop(tmp_path) as world:
        world.twilio.identities.user_ids[NUMBER] = USER_ID.removeprefix("whatsapp:")
        await in_doubt(world, (QUESTION, NUMBER, True))
        list_under(world, ANSWER, USER_ID)

        await pass_(world, 15 * MINUTES)

        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([], [ANSWER])
        assert await people(world) == [[NUMBER]]


async def test_a_link_made_between_two_looks_asks_for_two_more(tmp_path: Path) -> None:
    """The first look asked for the number alone: after the link it counts no more, and what stands under the id is
    found.
    """
    async with shop(tmp_path) as world:
        await in_doubt(world, (QUESTION, NUMBER, True))
        list_under(world, ANSWER, USER_ID)
        await pass_(world, 1.5 * GRACE)
        assert await world.column("SELECT absent_at IS NOT NULL FROM outbox") == [1]

        await join(world)
        assert await world.column("SELECT absent_at FROM outbox") == [None]
        await pass_(world, 15 * MINUTES)

        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([], [ANSWER])


async def test_a_link_made_while_the_log_is_read_has_it_read_again(tmp_path: Path) -> None:
    """The read asked for the number alone: nothing is concluded from it, neither for the settling nor for the send."""
    async with shop(tmp_path) as world:
        await in_doubt(world, (QUESTION, NUMBER, False))
        claim = await world.appliance.store.read(lambda tx: settle.claim_of(tx, tx.outbox.in_doubt_in_the_box()[0]))
        of_channel = await world.log.sent(WHATSAPP, claim.began, ours=True)
        log = await settle.read(world.log, [claim], of_channel)
        await join(world)

        def unit(tx: Any) -> tuple[int | None, bool]:
            moved = settle._apply(tx, [claim], log, of_channel, world.config)
            tx.sql.run("UPDATE outbox SET state = 'ready'")
            return moved, settle.is_still_absent(tx, claim, log, of_channel, world.config)

        assert await world.appliance.store.write(unit) == (None, False)


async def test_a_persons_word_to_the_other_address_has_answered(tmp_path: Path) -> None:
    """The answer to the number was not taken, and somebody wrote to the id from Twilio's console since."""
    async with shop(tmp_path) as world:
        world.twilio.identities.user_ids[NUMBER] = USER_ID.removeprefix("whatsapp:")
        await join(world)
        await in_doubt(world, (QUESTION, NUMBER, False))
        await pass_(world, 3 * MINUTES)
        await by_hand(world, "Às sete!", USER_ID)

        await pass_(world, 15 * MINUTES)

        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([], ["Às sete!"])
        assert await world.column("SELECT suppressed FROM messages") == ["answered elsewhere"]


async def test_a_callback_outranks_a_guess_across_addresses(tmp_path: Path) -> None:
    """Of two equal answers listed under the id the log's order is a guess: the callback of each settles whose is whose,
    also when the two are two people again.
    """
    async with shop(tmp_path) as world:
        await join(world)
        await in_doubt(world, (QUESTION, NUMBER, True))
        list_under(world, ANSWER, USER_ID)
        await in_doubt(world, (QUESTION, USER_ID, True))
        first, second = (entry.sid for entry in world.twilio.ledger if not entry.inbound)
        await pass_(world, 15 * MINUTES)
        assert None not in await world.column("SELECT sid FROM outbox")
        await world.appliance.store.write(lambda tx: tx.links.undo(tx.links.of(1)[0], "ana"))

        references = await world.column(
            "SELECT outbox_id || '.' || number || '.' || tag FROM attempts ORDER BY outbox_id"
        )
        for reference, sid in zip(references, (second, first), strict=True):
            assert await callback(world, reference, sid, "delivered", From=WHATSAPP, To=USER_ID) == 204

        assert sorted(await world.column("SELECT sid FROM outbox")) == sorted((first, second))
        assert await world.column("SELECT id FROM cards WHERE closed_at IS NULL") == []


async def test_two_questions_two_addresses_one_doubt(tmp_path: Path) -> None:
    """While the answer to the number is in doubt the id is answered as ever; the older answer is then made anew."""
    async with shop(tmp_path) as world:
        await join(world)
        await in_doubt(world, (QUESTION, NUMBER, False))
        await say(world, WHERE, USER_ID)
        await pass_(world, 15 * MINUTES)

        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([ANSWER], [THERE])
        assert await states(world) == ["superseded", "sent", "sent"]
