"""One way to end without an answer: whatever ended a burst, it is one dead letter with a card, and a person can act."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from multidict import MultiDict

from appliance.model import JobKind
from appliance.simulator import Fault
from tests.support.api_client import api_of
from tests.support.shop import Moody, Shop
from tests.support.world import CUSTOMER, SMS, ManualClock

NOON = 1_800_025_200_000
MINUTES = 60.0
BODY = "Respondido: Oi"
LATE = "Desculpe a demora, ficamos sem conexão."
BY_HAND = "Oi, aqui é a Ana."


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """At noon, nothing is fetched from Twilio's log unless a test wants it."""
    moody = Moody(works=True)
    quiet = {"catch_up_every": 0}
    async with Shop(tmp_path, clock=ManualClock(NOON), responder=moody, twilio=quiet) as world, api_of(world) as api:
        world.moody, world.api = moody, api
        yield world


async def pass_(shop: Shop, seconds: float) -> None:
    assert isinstance(shop.clock, ManualClock)
    await shop.clock.advance(seconds, shop.settle)


async def parked(shop: Shop, sender: str = CUSTOMER) -> None:
    """Something else went to the customer at the time of the POST."""
    shop.twilio.faults.add(Fault("create", "reset", address=sender))
    await shop.twilio.receive(sender, SMS, "Oi")
    await shop.settle()
    entry = shop.twilio.create(MultiDict({"From": SMS, "To": sender, "Body": BY_HAND}))
    await shop.twilio.delivery.begin(entry)
    await pass_(shop, 13 * MINUTES)


async def refused(shop: Shop, sender: str = CUSTOMER) -> None:
    """Twilio says no to the POST."""
    shop.twilio.faults.add(Fault("create", "error", status=400, code=21211, address=sender))
    await shop.twilio.receive(sender, SMS, "Oi")
    await shop.settle()


async def undelivered(shop: Shop, sender: str = CUSTOMER) -> None:
    """Taken, and reported as not delivered."""
    shop.twilio.faults.add(Fault("delivery", "undelivered", code=30003, address=sender))
    await shop.twilio.receive(sender, SMS, "Oi")
    await shop.settle()


async def too_old(shop: Shop, sender: str = CUSTOMER) -> None:
    """The written answer waited for longer than a day."""
    shop.twilio.faults.add(Fault("create", "error", status=400, code=21611, address=sender, times=None))
    await shop.twilio.receive(sender, SMS, "Oi")
    await pass_(shop, 10)
    assert isinstance(shop.clock, ManualClock)
    await shop.appliance.store.write(lambda tx: tx.outbox.update(1, created_at=tx.now - 25 * 3_600_000))
    shop.twilio.faults.clear()
    await pass_(shop, 3 * MINUTES)


async def too_late(shop: Shop, sender: str = CUSTOMER) -> None:
    """Two messages whose webhooks were lost, found three hours later."""
    for _ in range(2):
        await shop.twilio.receive(sender, SMS, "Oi", deliver=False)
    await pass_(shop, 180 * MINUTES)
    await shop.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await pass_(shop, 5)


async def given_up(shop: Shop, sender: str = CUSTOMER) -> None:
    """The responder has no answer: a friendly text, and a dead letter."""
    await shop.fail(sender)


End = Callable[..., Awaitable[None]]
ENDS: list[tuple[End, str]] = [
    (parked, "doubt"),
    (refused, "not_sent"),
    (undelivered, "undelivered"),
    (too_old, "not_sent"),
    (too_late, "too_late"),
    (given_up, "could_not_answer"),
]
every_end = pytest.mark.parametrize(("end", "card"), ENDS, ids=[end.__name__ for end, _ in ENDS])


def answered(shop: Shop, end: End) -> list[str]:
    """What the customer has after a retry."""
    before = {"parked": [BY_HAND], "undelivered": [BODY], "given_up": [shop.sent()[0]]}
    text = f"{LATE} {BODY} | Oi" if end is too_late else BODY
    return [*before.get(end.__name__, []), text]


@every_end
async def test_it_is_one_dead_letter_with_a_card(shop: Shop, end: End, card: str) -> None:
    """Listed with its customer; the messages are nobody's any more, and the law of conservation holds."""
    await end(shop)

    found = (await shop.api.get("dead-letters"))["dead_letters"]
    assert [letter["contact"] for letter in found] == [CUSTOMER]
    assert await shop.cards() == [card]
    assert set(await shop.dispositions()) == {"apologised" if end is given_up else "dead"}
    assert await shop.verified() == []


@every_end
async def test_a_retry_answers_it(shop: Shop, end: End, card: str) -> None:
    """Once, as a new intent; letter and card are gone."""
    await end(shop)

    assert await shop.retry((await shop.letters())[0]) == "ok"
    await pass_(shop, 20 * MINUTES)

    assert shop.sent() == answered(shop, end)
    assert set(await shop.dispositions()) == {"answered"}
    assert (await shop.letters(), await shop.cards()) == ([], []), card
    assert await shop.verified() == []


@every_end
async def test_a_discard_accepts_the_silence(shop: Shop, end: End, card: str) -> None:
    """Letter and card are gone, nothing is sent, and it does not come back by itself."""
    await end(shop)
    before = shop.sent()
    letter = (await shop.letters())[0]

    assert await shop.api.call("DELETE", f"dead-letters/{letter}") == (200, {"id": letter})
    await pass_(shop, 20 * MINUTES)

    assert shop.sent() == before
    assert (await shop.letters(), await shop.cards()) == ([], []), card
    assert set(await shop.dispositions()) == {"apologised" if end is given_up else "dead"}
    assert await shop.verified() == []
    assert await shop.retry(letter) == "settled"


async def test_retrying_all_leaves_out_what_may_have_been_sent(shop: Shop) -> None:
    """The unclear one waits until somebody names it; the others are answered."""
    others = ["+5511900000001", "+5511900000002"]
    await parked(shop)
    unclear = await shop.letters()
    await refused(shop, others[0])
    await undelivered(shop, others[1])
    assert len(await shop.letters()) == 3

    status, found = await shop.api.post("dead-letters/retry")
    await shop.settle()

    assert (status, len(found["retried"]), found["refused"]) == (200, 2, [])
    assert shop.sent() == [BY_HAND]
    assert [shop.sent(other)[-1] for other in others] == [BODY, BODY]
    assert await shop.letters() == unclear

    assert await shop.retry(unclear[0]) == "ok"
    assert shop.sent() == [BY_HAND, BODY]


async def test_newer_questions_are_answered_beside_a_parked_one(shop: Shop) -> None:
    """One row that waits for a person takes nobody's later questions along."""
    await parked(shop)
    for _ in range(3):
        await shop.say("Oi")
        await pass_(shop, MINUTES)

    assert await shop.dispositions() == ["dead", "answered", "answered", "answered"]
    assert len(shop.sent()) == 4
    assert await shop.retry((await shop.letters())[0]) == "newer_reply"


async def test_what_failed_twice_is_one_letter(shop: Shop) -> None:
    """A retry whose answer is not delivered either: the new intent has its letter, the old one is settled."""
    await undelivered(shop)
    first = await shop.letters()
    shop.twilio.faults.add(Fault("delivery", "undelivered", code=30003))

    assert await shop.retry(first[0]) == "ok"

    second = await shop.letters()
    assert (len(second), second != first) == (1, True)
    assert await shop.cards() == ["undelivered"]
    assert await shop.dispositions() == ["dead"]


async def test_a_manual_message_ends_the_same_way(shop: Shop) -> None:
    """Not delivered: a letter and a card; a retry sends the same words again, through the contact's lane."""
    shop.twilio.faults.add(Fault("delivery", "undelivered", code=30003))
    await shop.api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Pronto!"})
    await shop.settle()
    assert (len(await shop.letters()), await shop.cards()) == (1, ["undelivered"])

    assert await shop.retry((await shop.letters())[0]) == "ok"

    assert shop.sent() == ["Pronto!", "Pronto!"]
    assert (await shop.letters(), await shop.cards()) == ([], [])


async def test_a_manual_message_waits_for_its_turn(shop: Shop) -> None:
    """An answer to the contact is on its way: what an operator writes goes behind it, one after the other."""
    shop.twilio.faults.add(Fault("create", "error", status=429, code=63018, address=CUSTOMER))
    await shop.say("Oi")
    await shop.settle()
    for body in ("Primeiro", "Segundo"):
        await shop.api.post("messages", {"from": SMS, "to": CUSTOMER, "body": body})
    await pass_(shop, 30)
    assert shop.sent() == []

    await pass_(shop, 40)

    assert shop.sent() == [BODY, "Primeiro", "Segundo"]
    assert len(set(await shop.column("SELECT lane FROM message_queue WHERE kind = 'send_reply'"))) == 1
