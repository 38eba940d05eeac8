"""Dead letters: what a retry may do and what it must refuse, with the reason."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.model import ConversationStatus, Handover, OutboxState
from appliance.queue.worker import last_resort
from appliance.simulator.faults import Fault
from appliance.store import Tx
from tests.support.shop import ANSWERED, APOLOGY, Shop, open_shop
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock

ON_WHATSAPP = f"whatsapp:{CUSTOMER}"
MESSAGE = {"from": SMS, "to": CUSTOMER, "body": "O pão está pronto."}


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as running:
        yield running


async def test_a_dead_letter_is_listed_with_its_customer(shop: Shop) -> None:
    """Newest first, with what an operator needs to decide."""
    await shop.fail()

    letter = (await shop.api.get("dead-letters"))["dead_letters"][0]

    assert (letter["kind"], letter["contact"], letter["channel"]) == ("process_ai_response", CUSTOMER, SMS)
    assert (letter["error"], letter["attempts"]) == ("wrong key", 1)


async def test_a_retry_answers_what_was_apologised_for(shop: Shop) -> None:
    """The real answer goes out once, as the second intent, recorded with who wanted it; the card is closed."""
    await shop.fail()
    letters = await shop.letters()

    assert await shop.retry(letters[0]) == "ok"

    assert shop.sent() == [APOLOGY, ANSWERED]
    assert await shop.letters() == []
    assert await shop.cards() == []
    assert await shop.dispositions() == ["answered"]
    assert (await shop.rows("SELECT reply_no, intended_by FROM outbox ORDER BY id"))[1] == {
        "reply_no": 2,
        "intended_by": "api",
    }
    assert await shop.verified() == []


async def test_a_retry_that_fails_again_is_a_new_dead_letter(shop: Shop) -> None:
    """It shares the apology of the last half hour and can be retried again, as the third intent."""
    await shop.fail()
    shop.moody.works = False
    first = await shop.letters()
    assert await shop.retry(first[0]) == "ok"
    assert shop.sent() == [APOLOGY]
    shop.moody.works = True

    second = await shop.letters()

    assert len(second) == 1
    assert second != first
    assert await shop.retry(second[0]) == "ok"
    assert shop.sent() == [APOLOGY, ANSWERED]
    assert await shop.column("SELECT max(reply_no) FROM outbox") == [3]


async def test_retrying_twice_and_at_once_sends_once(shop: Shop) -> None:
    """Ten operators press the button."""
    await shop.fail()
    letter = (await shop.letters())[0]

    codes = await asyncio.gather(*(shop.retry(letter) for _ in range(10)))

    assert sorted(codes) == ["ok"] + ["settled"] * 9
    assert shop.sent() == [APOLOGY, ANSWERED]


async def test_a_discarded_dead_letter_is_gone(shop: Shop) -> None:
    """Its card too; it cannot be retried or discarded again, and the law still holds."""
    await shop.fail()
    letter = (await shop.letters())[0]

    assert await shop.api.call("DELETE", f"dead-letters/{letter}") == (200, {"id": letter})

    assert await shop.cards() == []
    assert await shop.retry(letter) == "settled"
    assert (await shop.api.call("DELETE", f"dead-letters/{letter}"))[0] == 409
    assert await shop.dispositions() == ["apologised"]
    assert await shop.verified() == []


async def test_no_retry_while_a_person_is_in_charge(shop: Shop) -> None:
    """The person answers."""
    await shop.fail()
    await shop.appliance.store.write(lambda tx: tx.contacts.hand_over(1, Handover.ASKED, tx.now))

    assert await shop.retry((await shop.letters())[0]) == "a_person_is_in_charge"
    assert shop.sent() == [APOLOGY]


async def test_no_retry_in_a_closed_conversation(shop: Shop) -> None:
    """What was asked then is no question any more."""
    await shop.fail()
    await shop.appliance.store.write(lambda tx: tx.conversations.set_status(1, ConversationStatus.CLOSED))

    assert await shop.retry((await shop.letters())[0]) == "conversation_closed"


async def test_no_retry_to_somebody_who_opted_out(shop: Shop) -> None:
    """Not even an answer."""
    await shop.fail()
    await shop.appliance.store.write(lambda tx: tx.contacts.opt_out(1, "SM1"))

    assert await shop.retry((await shop.letters())[0]) == "opted_out"


async def test_no_retry_after_whatsapps_window(shop: Shop) -> None:
    """24 hours after the customer's last message Twilio would refuse it."""
    await shop.fail(ON_WHATSAPP, WHATSAPP)
    assert isinstance(shop.clock, ManualClock)
    shop.clock.jump(24 * 3600)

    assert await shop.retry((await shop.letters())[0]) == "window_closed"


async def test_no_retry_after_a_newer_reply(shop: Shop) -> None:
    """The customer wrote again and was answered, or a person wrote through the API."""
    await shop.fail()
    await shop.api.post("messages", MESSAGE)
    await shop.settle()

    assert await shop.retry((await shop.letters())[0]) == "newer_reply"
    assert shop.sent() == [APOLOGY, MESSAGE["body"]]


async def test_no_retry_while_an_answer_is_on_its_way(shop: Shop) -> None:
    """A lane has at most one live job."""
    await shop.fail()
    letter = (await shop.letters())[0]
    await shop.appliance.engine.worker.stop()
    await shop.twilio.receive(CUSTOMER, SMS, "E agora?")

    status, answer = await shop.api.post(f"dead-letters/{letter}/retry")

    assert (status, answer["error"]["code"]) == (409, "busy")


async def test_an_answer_that_twilio_refused_is_generated_anew(shop: Shop) -> None:
    """The dead send job leads back to the messages its reply was for."""
    shop.moody.works = True
    shop.twilio.faults.add(Fault("create", "error", status=400, code=21211))
    await shop.twilio.receive(CUSTOMER, SMS, "Oi")
    await shop.settle()
    assert await shop.dispositions() == ["dead"]
    assert await shop.verified() == []

    assert await shop.retry((await shop.letters())[0]) == "ok"

    assert shop.sent() == [ANSWERED]
    assert await shop.dispositions() == ["answered"]
    assert await shop.cards() == []
    assert await shop.column("SELECT reply_no FROM outbox ORDER BY id") == [1, 2]
    assert await shop.verified() == []


async def test_a_manual_message_that_twilio_refused_is_sent_with_the_same_words(shop: Shop) -> None:
    """A new row, so that the first attempt stays on record."""
    shop.twilio.faults.add(Fault("create", "error", status=400, code=21211))
    await shop.api.post("messages", MESSAGE | {"idempotency_key": "k"})
    await shop.settle()
    assert shop.sent() == []

    assert await shop.retry((await shop.letters())[0]) == "ok"

    assert shop.sent() == [MESSAGE["body"]]
    assert await shop.column("SELECT state FROM outbox ORDER BY id") == ["failed", "delivered"]


@pytest.mark.parametrize(
    ("state", "code"),
    [(OutboxState.DOUBT, "in_doubt"), (OutboxState.SENDING, "in_doubt"), (OutboxState.DELIVERED, "sent")],
)
async def test_no_retry_of_what_may_have_been_sent(shop: Shop, state: OutboxState, code: str) -> None:
    """Evidence first: a callback may come after the job gave up."""
    shop.twilio.faults.add(Fault("create", "error", status=400, code=21211))
    await shop.api.post("messages", MESSAGE)
    await shop.settle()
    await shop.appliance.store.write(lambda tx: tx.outbox.update(1, state=state))

    status, answer = await shop.api.post(f"dead-letters/{(await shop.letters())[0]}/retry")

    assert (status, answer["error"]["code"]) == (409, code)


async def test_an_apology_that_was_not_sent_leads_to_one_answer(shop: Shop) -> None:
    """Two dead letters are about one message: the reply and the apology. Retrying all answers once."""
    shop.twilio.faults.add(Fault("create", "error", status=400, code=21211))
    await shop.fail()
    assert len(await shop.letters()) == 2

    status, answer = await shop.api.post("dead-letters/retry")
    await shop.settle()

    assert status == 200
    assert len(answer["retried"]) == 1
    assert [refused["code"] for refused in answer["refused"]] == ["busy"]
    assert shop.sent() == [ANSWERED]
    left = await shop.letters()
    assert await shop.retry(left[0]) == "answered"
    assert await shop.api.call("DELETE", "dead-letters") == (200, {"discarded": left, "refused": []})
    assert await shop.cards() == []
    assert await shop.verified() == []


async def test_all_dead_letters_are_retried_one_by_one(shop: Shop) -> None:
    """Each customer has the answer; who must not get one is named with the reason."""
    customers = [f"+551190000000{number}" for number in range(3)]
    for customer in customers:
        await shop.fail(customer)
    await shop.appliance.store.write(lambda tx: tx.contacts.opt_out(2, "SM1"))

    _, answer = await shop.api.post("dead-letters/retry")
    await shop.settle()

    assert len(answer["retried"]) == 2
    assert [refused["code"] for refused in answer["refused"]] == ["opted_out"]
    assert [shop.sent(customer)[1:] for customer in customers] == [[ANSWERED], [], [ANSWERED]]


async def test_a_dead_tick_is_simply_run_again(shop: Shop) -> None:
    """It is about no customer."""
    await shop.settle()
    await shop.appliance.store.write(
        lambda tx: tx.sql.insert(
            "message_queue",
            kind="housekeeping",
            lane="tick:housekeeping",
            resource="",
            status="dead",
            run_at=0,
            created_at=0,
        )
    )

    assert await shop.retry((await shop.letters())[0]) == "ok"
    assert await shop.letters() == []


async def test_what_even_giving_up_failed_for_can_be_retried(shop: Shop) -> None:
    """The last resort leaves a card and remembers which messages it is about."""
    await shop.appliance.engine.worker.stop()
    await shop.twilio.receive(CUSTOMER, SMS, "Oi")
    shop.moody.works = True

    def give_up(tx: Tx) -> None:
        job = tx.jobs.in_lane(f"1|{CUSTOMER}")
        assert job is not None
        tx.sql.run("UPDATE message_queue SET status = 'dead' WHERE id = ?", job.id)
        last_resort(tx, job)

    await shop.appliance.store.write(give_up)
    assert await shop.dispositions() == ["dead"]
    await shop.stop()
    await shop.start()

    assert await shop.retry((await shop.letters())[0]) == "ok"

    assert shop.sent() == [ANSWERED]
    assert await shop.cards() == []
