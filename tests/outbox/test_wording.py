"""An SMS is stored in the words that Twilio hands on, and it may wait at Twilio as long as an answer may wait."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.model import HOUR, MINUTE, SECOND
from appliance.simulator import Fault
from appliance.simulator.ledger import Entry
from tests.outbox.scene import NOON, QUESTION, letters, pass_, states
from tests.support.api_client import api_of
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

ANSWER = "“Padaria” – das 7h às 19h…"
CARRIED = '"Padaria" - das 7h às 19h...'


@pytest.fixture
async def quiet(tmp_path: Path) -> AsyncIterator[World]:
    """A world whose Twilio never calls back and whose FAQ writes curly quotes."""
    async with World(tmp_path, clock=ManualClock(NOON), twilio={"catch_up_every": 0}) as world:
        await world.teach("Horário", ANSWER)
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        yield world


def ours(world: World) -> list[Entry]:
    return [entry for entry in world.twilio.ledger if not entry.inbound]


async def test_an_sms_is_stored_as_twilio_has_it(quiet: World) -> None:
    """The answer, a fixed text with the organization's own words, and what an operator writes."""
    await quiet.appliance.store.write(lambda tx: tx.sql.run("UPDATE organizations SET name = 'Padaria “Aurora”'"))
    await quiet.say("Oi")
    await pass_(quiet, 1)
    await quiet.say(QUESTION)
    await pass_(quiet, 1)
    async with api_of(quiet) as api:
        await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "‘Até’ já…\u00a0Ana"})
    await pass_(quiet, 1)

    stored = await quiet.column("SELECT body FROM outbox ORDER BY id")
    assert stored == [entry.body for entry in ours(quiet)]
    assert stored[0].startswith('Olá! Aqui é Padaria "Aurora",')
    assert stored[1:] == [CARRIED, "'Até' já... Ana"]


async def test_a_name_with_a_curly_apostrophe_greets_once(quiet: World) -> None:
    """What was said in an SMS is known again, though its quotes are others than the name's."""
    await quiet.appliance.store.write(lambda tx: tx.sql.run("UPDATE organizations SET name = 'Padaria D’Ávila'"))
    for _ in range(2):
        await quiet.say("Oi")
        await pass_(quiet, 1)

    assert len(quiet.sent()) == 1
    assert "Padaria D'Ávila" in quiet.sent()[0]


async def test_on_whatsapp_nothing_is_changed(quiet: World) -> None:
    """It has no such alphabet."""
    await quiet.say(QUESTION, f"whatsapp:{CUSTOMER}", WHATSAPP)
    await pass_(quiet, 1)

    assert quiet.sent(f"whatsapp:{CUSTOMER}") == await quiet.column("SELECT body FROM outbox") == [ANSWER]


async def test_a_doubt_is_settled_by_the_changed_words(quiet: World) -> None:
    """Twilio took it and never said so: its log has the words that we have, and nothing is sent twice."""
    quiet.twilio.faults.add(Fault("create", "reset", accepted=True))
    await quiet.say(QUESTION)
    await pass_(quiet, 15 * 60)

    assert quiet.sent() == [CARRIED]
    assert await states(quiet) == ["delivered"]


async def test_what_an_older_version_stored_is_found_as_well(quiet: World) -> None:
    """Its row has curly quotes, Twilio's log has none: it is the same text."""
    await quiet.appliance.engine.worker.stop()
    await quiet.say(QUESTION)
    await quiet.stop()
    await quiet.start()
    quiet.twilio.faults.add(Fault("create", "reset", accepted=True))
    await pass_(quiet, 1)
    changed = "UPDATE outbox SET body = ?, body_hash = x'00'"
    await quiet.appliance.store.write(lambda tx: tx.sql.run(changed, ANSWER))

    await pass_(quiet, 15 * 60)

    assert (quiet.sent(), await states(quiet)) == ([CARRIED], ["delivered"])


async def test_what_grows_by_it_is_still_one_message(quiet: World) -> None:
    """An ellipsis becomes three dots: cut at a sentence's end, and what a person writes is refused before it is sent."""
    await quiet.teach("Horário", "Das 7h… " * 199 + "Até já.")
    await quiet.say(QUESTION)
    await pass_(quiet, 1)
    async with api_of(quiet) as api:
        status, answer = await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "…" * 600})

    assert await quiet.column("SELECT length(body) <= 1600 FROM outbox") == [1]
    assert await states(quiet) == ["sent"]
    assert (status, answer["error"]["code"]) == (400, "body_too_long")


async def test_a_key_knows_its_message_in_any_quotes(quiet: World) -> None:
    """The same words with the same key are the same message, before and after they are changed."""
    async with api_of(quiet) as api:
        body = {"from": SMS, "to": CUSTOMER, "body": ANSWER, "idempotency_key": "k"}
        first = await api.post("messages", body)
        await pass_(quiet, 1)
        await quiet.appliance.store.write(lambda tx: tx.sql.run("UPDATE outbox SET body = ?", ANSWER))
        again = await api.post("messages", body)

    assert first[1]["id"] == again[1]["id"]


@pytest.mark.parametrize(
    ("age", "waited", "left"), [(24 * HOUR, 0, 36_000), (8 * HOUR, 2 * HOUR, 21_600), (HOUR, 20 * MINUTE, 2_400)]
)
async def test_twilio_may_keep_it_as_long_as_it_may_wait(tmp_path: Path, age: int, waited: int, left: int) -> None:
    """What is left of queue.reply_max_age, and never more than Twilio takes."""
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock, queue={"reply_max_age": age}) as world:
        await world.twilio_line.cut()
        async with api_of(world) as api:
            await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Olá"})
        await clock.advance(waited / SECOND, world.settle)
        await world.twilio_line.mend()
        await clock.advance(130, world.settle)

        assert left - 130 <= ours(world)[0].validity <= left


async def test_what_twilio_kept_too_long_is_a_card(tmp_path: Path) -> None:
    """It says why, and a dead letter stands for the question."""
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock, queue={"reply_max_age": HOUR}, pace=0.2) as world:
        await world.teach("Horário", ANSWER)
        await world.say(QUESTION)
        await world.until(world.sent)
        clock.jump(2 * HOUR / SECOND)
        await world.settle()

        assert (await states(world), await world.cards()) == (["failed"], ["undelivered"])
        assert await letters(world) == ["it waited longer than its validity period (Twilio error 30036)."]
