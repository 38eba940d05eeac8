"""How a hand-over begins and ends, and who answers whom: the table of CONTRIBUTING's rule, each row run.

A customer is handed over at 12:00 for three hours (`human_for`) and asks the same thing again and again: at 12:10 (old),
at 14:40 (young) and when it is over (next). At 14:45 the owner teaches the appliance the answer, at 14:50 the hand-over
ends in one of five ways, and at 15:01 the timer looks. Cards are those open before the last question.
"""

from pathlib import Path
from typing import Any

import pytest
from multidict import MultiDict

from appliance.model import HOUR, MINUTE, Handover, JobKind
from appliance.operations.verification import verify
from appliance.ports import LogUnavailableError
from appliance.queue.schedule import enqueue_tick
from appliance.simulator import Fault
from appliance.store import Tx
from appliance.wire import LogRead
from tests.support.api_client import api_of
from tests.support.world import CUSTOMER, SMS, ManualClock, World, sleep

NOON = 1_800_025_200_000  # 12:00 in São Paulo
QUESTION = "Vendem pneus?"
NOT_OURS_TO_READ = Fault("list", "error", status=403, code=20008, times=None)  # the link itself is well
BUSY = Fault("create", "error", status=429, code=20429, retry_after=30, times=None)  # nothing is taken
BY_HAND = {"from": SMS, "to": CUSTOMER, "body": "Pneus não, abraço! Ana"}

#  begins    | ends by      | log        | old     | young   | next    | cards
TABLE = """
   asked     | timer        | readable   | card    | bot     | bot     | too_late waiting
   asked     | command      | readable   | card    | bot     | bot     | too_late waiting
   asked     | person       | readable   | person  | person  | waits   | none
   asked     | console      | readable   | person  | person  | waits   | none
   asked     | expiry       | readable   | waits   | waits   | waits   | waiting
   asked     | timer        | unreadable | waits   | waits   | waits   | hand_back waiting
   asked     | command      | unreadable | waits   | waits   | waits   | hand_back waiting
   asked     | person       | unreadable | person  | person  | waits   | none
   asked     | console      | unreadable | waits   | waits   | waits   | hand_back waiting
   asked     | expiry       | unreadable | waits   | waits   | waits   | waiting
   taken     | timer        | readable   | card    | bot     | bot     | too_late
   taken     | command      | readable   | card    | bot     | bot     | too_late
   taken     | person       | readable   | person  | person  | waits   | none
   taken     | console      | readable   | person  | person  | waits   | none
   taken     | expiry       | readable   | waits   | waits   | waits   | waiting
   taken     | timer        | unreadable | waits   | waits   | waits   | hand_back waiting
   taken     | command      | unreadable | waits   | waits   | waits   | hand_back waiting
   taken     | person       | unreadable | person  | person  | waits   | none
   taken     | console      | unreadable | waits   | waits   | waits   | hand_back waiting
   taken     | expiry       | unreadable | waits   | waits   | waits   | waiting
   not known | timer        | readable   | card    | bot     | bot     | too_late
   not known | command      | readable   | card    | bot     | bot     | too_late
   not known | person       | readable   | person  | person  | waits   | none
   not known | console      | readable   | person  | person  | waits   | none
   not known | expiry       | readable   | waits   | waits   | bot     | waiting
   not known | timer        | unreadable | waits   | waits   | bot     | hand_back waiting
   not known | command      | unreadable | waits   | waits   | bot     | hand_back waiting
   not known | person       | unreadable | person  | person  | waits   | none
   not known | console      | unreadable | waits   | waits   | bot     | hand_back waiting
   not known | expiry       | unreadable | waits   | waits   | bot     | waiting
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.strip().splitlines()]
FATES = """
    SELECT m.sid, CASE WHEN suppressed IN ('a person is in charge', 'promised') THEN 'waits'
                       WHEN suppressed = 'answered elsewhere' THEN 'person'
                       WHEN card_id IS NOT NULL THEN 'card'
                       ELSE iif(o.kind = 'answer', 'bot', o.kind) END AS fate
    FROM messages m LEFT JOIN outbox o ON o.id = m.reply_id
"""


async def say(world: World, body: str) -> str:
    sid = await world.say(body)
    await world.settle()
    return sid


async def tick(world: World, kind: JobKind) -> None:
    await world.appliance.store.write(lambda tx: enqueue_tick(tx, kind))
    world.appliance.engine.bell.ring()
    await world.settle()


async def write_by_hand(world: World) -> None:
    async with api_of(world) as api:
        assert (await api.post("messages", BY_HAND))[0] == 202


async def by_hand(world: World) -> None:
    """A person answers through the appliance."""
    await write_by_hand(world)
    await world.settle()


async def begin(world: World, how: str) -> None:
    for body in ["ATENDENTE"] if how == "asked" else [QUESTION] * 3:
        await say(world, body)
    if how == "taken":
        await by_hand(world)


async def end(world: World, how: str) -> None:
    match how:
        case "command":
            async with api_of(world) as api:
                assert (await api.post("conversations/1/resume"))[0] == 202
            await world.settle()
        case "person":
            await by_hand(world)
        case "console":
            world.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "Pneus não. Ana"}))
        case "expiry":
            await tick(world, JobKind.EXPIRED)


def handed_over(directory: Path, expire_after: int = 24 * HOUR) -> World:
    times = {"human_for": 3 * HOUR, "idle_after": MINUTE, "expire_after": expire_after}
    return World(directory, clock=ManualClock(NOON), conversations=times | {"reply_delay": 0, "reply_delay_max": 0})


@pytest.mark.parametrize(("begins", "ends", "log", "old", "young", "following", "cards"), ROWS)
async def test_who_is_answered_by_whom(
    tmp_path: Path, begins: str, ends: str, log: str, old: str, young: str, following: str, cards: str
) -> None:
    """A row of the table; and in the end, with the log readable again and hours later, no old message was answered."""
    async with handed_over(tmp_path, 5 * MINUTE if ends == "expiry" else 24 * HOUR) as world:
        await begin(world, begins)
        await sleep(world, 10)
        asked = [await say(world, QUESTION)]
        await sleep(world, 150)
        asked.append(await say(world, QUESTION))
        await sleep(world, 5)
        await world.teach("Pneus", "Vendemos pneus de bicicleta.")
        if log == "unreadable":
            world.twilio.faults.add(NOT_OURS_TO_READ)
        await sleep(world, 5)
        await end(world, ends)
        if ends != "expiry":  # that one decides nothing: the timer has not looked yet
            await sleep(world, 11)
            await tick(world, JobKind.HAND_BACK)
        assert " ".join(sorted(await world.cards())) == (cards if cards != "none" else "")
        asked.append(await say(world, QUESTION))

        fates = {row["sid"]: row["fate"] for row in await world.rows(FATES)}
        assert [fates[sid] for sid in asked] == [old, young, following]

        world.twilio.faults.clear()
        await sleep(world, 240)
        await tick(world, JobKind.HAND_BACK)
        fates = {row["sid"]: row["fate"] for row in await world.rows(FATES)}
        assert fates[asked[0]] in ("card", "person")
        assert "waits" not in fates.values()
        assert (await world.appliance.store.read(verify, limit=None)).problems == []


async def in_hand(world: World) -> str | None:
    found: list[str | None] = await world.column("SELECT handover FROM contacts")
    return found[0]


async def test_it_ends_although_the_customer_goes_on_writing(tmp_path: Path) -> None:
    """Once an hour for four times `expire_after`: the silence counts from the request, not from the last message."""
    async with handed_over(tmp_path, expire_after=2 * HOUR) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await say(world, "ATENDENTE")
        said = []
        for _ in range(5):
            await sleep(world, 60)
            await tick(world, JobKind.HAND_BACK)
            await tick(world, JobKind.EXPIRED)
            await say(world, "Qual o horário?")
            said.append(len(world.sent()))

        assert said == [1, 1, 3, 4, 5]  # at three hours those of the last two are answered together, and the next one
        assert await world.column("SELECT status FROM conversations") == ["progress"]


async def test_at_night_only_the_last_half_hour_is_answered(tmp_path: Path) -> None:
    """At 22:00 a question of 21:20 is a card, one of 21:40 gets its answer."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await sleep(world, 7 * 60)
        await say(world, "ATENDENTE")
        await sleep(world, 140)
        await say(world, "Qual o horário?")
        await sleep(world, 20)
        await say(world, "Qual o horário?")
        await sleep(world, 20.1)
        await tick(world, JobKind.HAND_BACK)

        assert await world.dispositions() == ["answered", "dead", "answered"]
        assert world.sent()[1:] == ["Abrimos das 7h às 19h."]


async def test_what_is_too_old_by_then_is_a_dead_letter(tmp_path: Path) -> None:
    """One for the conversation, whose card goes with it; a retry answers all that is in it."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await say(world, "ATENDENTE")
        for _ in range(2):
            await say(world, "Qual o horário?")
        await sleep(world, 181)
        await tick(world, JobKind.HAND_BACK)
        assert await world.dispositions() == ["answered", "dead", "dead"]

        async with api_of(world) as api:
            letters = (await api.get("dead-letters"))["dead_letters"]
            assert [letter["contact"] for letter in letters] == [CUSTOMER]
            assert "too_late" in await world.cards()
            assert (await api.post(f"dead-letters/{letters[0]['id']}/retry"))[0] == 200
        await world.settle()

        assert world.sent()[1:] == ["Abrimos das 7h às 19h."]
        assert await world.dispositions() == ["answered"] * 3
        assert await world.cards() == ["waiting"]


async def test_the_silence_counts_from_a_persons_last_word(tmp_path: Path) -> None:
    """Through us and from the console, each time anew; a person who said nothing new for three hours is over."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        for how in ("person", "console", "console"):
            await sleep(world, 170)
            await end(world, how)
            await tick(world, JobKind.HAND_BACK)
            await sleep(world, 11)
            await tick(world, JobKind.HAND_BACK)
            assert await in_hand(world) == "taken"
        await sleep(world, 170)
        await tick(world, JobKind.HAND_BACK)

        assert await in_hand(world) is None
        assert await world.column("SELECT status FROM conversations") == ["progress"]


async def test_who_speaks_while_the_log_is_read_keeps_the_customer(tmp_path: Path) -> None:
    """Optimistic locking: what was read before a person's word decides nothing after it."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        await say(world, QUESTION)
        await sleep(world, 181)
        log = world.log
        whole = log.outbound

        async def read(*where: Any, **what: Any) -> LogRead:
            found = await whole(*where, **what)
            await write_by_hand(world)
            await world.until(lambda: _is_taken(world))
            return found

        log.outbound = read  # type: ignore[method-assign]
        await world.appliance.store.write(lambda tx: enqueue_tick(tx, JobKind.HAND_BACK))
        world.appliance.engine.bell.ring()
        await world.until(lambda: _is_done(world))

        assert await in_hand(world) == "taken"
        assert await world.column("SELECT suppressed FROM messages ORDER BY id") == [None, "answered elsewhere"]


async def test_an_older_word_does_not_undo_the_wish_to_have_a_customer_back(tmp_path: Path) -> None:
    """A person's words were in doubt when somebody asked for the customer: what became of them is heard of afterwards."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")

        def undo(tx: Tx, at: int) -> int | None:
            tx.contacts.ask_back(1)
            tx.contacts.hand_over(1, Handover.TAKEN, at)
            contact = tx.contacts.get(1)
            assert contact is not None
            return contact.resume_at

        assert await world.appliance.store.write(lambda tx: undo(tx, tx.now - MINUTE)) is not None
        assert await world.appliance.store.write(lambda tx: undo(tx, tx.now + 1)) is None


async def _is_taken(world: World) -> bool:
    return await in_hand(world) == "taken"


async def _is_done(world: World) -> bool:
    return set(await world.column("SELECT status FROM message_queue WHERE kind = 'hand_back'")) == {"done"}


async def test_a_persons_words_on_their_way_are_waited_for(tmp_path: Path) -> None:
    """Twilio takes nothing for a while: what a person wrote goes out first, and the appliance does not answer beside it."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await say(world, "ATENDENTE")
        await sleep(world, 175)
        await say(world, "Qual o horário?")
        world.twilio.faults.add(BUSY)
        await by_hand(world)
        await sleep(world, 6)
        await tick(world, JobKind.HAND_BACK)
        assert await in_hand(world) == "asked"
        world.twilio.faults.clear()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(120, world.settle)

        assert world.sent()[1:] == [BY_HAND["body"]]
        assert await in_hand(world) == "taken"


async def test_one_card_while_the_log_is_unreadable(tmp_path: Path) -> None:
    """It says how many wait; it goes when they are the appliance's again."""
    async with handed_over(tmp_path) as world:
        for number in range(5):
            await world.say("ATENDENTE", f"+551199000000{number}")
            await world.settle()
        await sleep(world, 181)
        world.twilio.faults.add(NOT_OURS_TO_READ)
        await tick(world, JobKind.HAND_BACK)
        (told,) = [each for each in await world.told() if each.startswith("Customers stay with a person.")]
        assert "Twilio's log cannot be read (HTTP 403, Twilio error 20008)." in told
        assert told.endswith("should take back: 5.")

        world.twilio.faults.clear()
        await sleep(world, 1)

        assert await world.column("SELECT count(*) FROM contacts WHERE handover IS NOT NULL") == [0]
        assert "hand_back" not in await world.cards()


async def test_of_a_link_in_trouble_no_second_card_tells(tmp_path: Path) -> None:
    """Twilio answers with errors of its own: the customers stay with the person, and the watch's card says why."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        await sleep(world, 181)
        world.twilio.faults.add(Fault("list", "error", times=None))
        await tick(world, JobKind.HAND_BACK)
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(90, world.settle)
        assert await world.cards() == ["waiting", "unreachable"]
        assert await in_hand(world) == "asked"

        world.twilio.faults.clear()
        await world.clock.advance(90, world.settle)

        assert await in_hand(world) is None
        assert "unreachable" not in await world.cards()


async def test_one_customers_log_holds_nobody_else_up(tmp_path: Path) -> None:
    """Twilio refuses one address: the others are handed back."""
    one, two = "+5511900000001", "+5511900000002"
    async with handed_over(tmp_path) as world:
        for sender in (one, two):
            await world.say("ATENDENTE", sender)
            await world.settle()
        await sleep(world, 181)
        world.twilio.faults.add(Fault("list", "error", status=400, code=20001, address=one, times=None))
        await tick(world, JobKind.HAND_BACK)

        assert await world.column("SELECT address FROM contacts WHERE handover IS NOT NULL") == [one]


async def test_three_whose_log_cannot_be_read_keep_nobody_waiting(tmp_path: Path) -> None:
    """Three failures in a row end a run; in the next one the others go first."""
    async with handed_over(tmp_path) as world:

        def insert(tx: Tx) -> None:
            for number in range(4):
                contact = tx.contacts.ensure(1, f"+55117{number:08d}")
                tx.contacts.hand_over(contact.id, Handover.TAKEN, NOON + number)

        await world.appliance.store.write(insert)
        log = world.log
        whole = log.outbound

        async def read(channel: str, contact: str, *where: Any, **what: Any) -> LogRead:
            if not contact.endswith("3"):
                raise LogUnavailableError("400")
            return await whole(channel, contact, *where, **what)

        log.outbound = read  # type: ignore[method-assign]
        await sleep(world, 181)
        await tick(world, JobKind.HAND_BACK)
        await sleep(world, 1)

        assert await world.column("SELECT count(*) FROM contacts WHERE handover IS NOT NULL") == [3]


async def test_a_run_takes_at_most_a_hundred(tmp_path: Path) -> None:
    """A hundred and five customers take two runs."""
    async with handed_over(tmp_path) as world:

        def insert(tx: Tx) -> None:
            for number in range(105):
                contact = tx.contacts.ensure(1, f"+55117{number:08d}")
                tx.contacts.hand_over(contact.id, Handover.TAKEN, NOON)

        await world.appliance.store.write(insert)
        await sleep(world, 181)
        for left in (5, 0):
            await world.appliance.store.write(lambda tx: enqueue_tick(tx, JobKind.HAND_BACK))
            world.appliance.engine.bell.ring()
            await world.until(lambda: _is_done(world), 60)
            assert await world.column("SELECT count(*) FROM contacts WHERE handover IS NOT NULL") == [left]
