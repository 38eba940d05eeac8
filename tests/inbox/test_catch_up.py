"""What came in while nobody listened is fetched from Twilio's log and answered once, if it still should be."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from multidict import MultiDict

from appliance.inbox.missed import Fate, fate, is_webhooks_own, missing
from appliance.ports import LogUnavailableError
from appliance.simulator import Fault
from appliance.wire import LoggedMessage
from tests.support.world import CUSTOMER, SMS, TOKEN, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000  # 12:00 in São Paulo
OTHER = "+5511977776666"
MINUTE = 60.0
HOUR = 3600.0


@pytest.fixture
async def down(tmp_path: Path) -> AsyncIterator[World]:
    """A world at noon, with time moved by hand, whose appliance is stopped; restart it with `start()`."""
    async with World(tmp_path, clock=ManualClock(NOON)) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await _pass(world, MINUTE)
        await world.stop()
        yield world


async def _pass(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def _sleep_through(world: World, seconds: float) -> None:
    """Time passes while the appliance is off."""

    async def nothing() -> None: ...

    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, nothing)


async def _miss(world: World, body: str, sender: str = CUSTOMER, to: str = SMS) -> str:
    sid, _ = await world.twilio.receive(sender, to, body, deliver=False)
    return sid


async def test_a_missed_message_is_answered_and_its_late_webhook_changes_nothing(down: World) -> None:
    """One row and one answer, whichever way and however often it comes."""
    sid = await _miss(down, "Qual o horário?")
    await _sleep_through(down, 5 * MINUTE)

    await down.start()
    await down.settle()
    await down.say("Qual o horário?", sid=sid)
    await _pass(down, 10 * MINUTE)

    assert down.sent() == ["Abrimos das 7h às 19h."]
    rows = await down.rows("SELECT source, parameters FROM messages")
    assert [row["source"] for row in rows] == ["catch_up"]
    assert "MessageSid" in rows[0]["parameters"]


async def test_several_missed_messages_get_one_merged_late_answer(down: World) -> None:
    """Older than half an hour: the delay is apologised for, once."""
    for body in ("Bom dia!", "Qual o horário?", "alguém?"):
        await _miss(down, body)
    await _sleep_through(down, 40 * MINUTE)

    await down.start()
    await down.settle()

    assert down.sent() == ["Desculpe a demora, ficamos sem conexão. Abrimos das 7h às 19h."]
    assert await down.dispositions() == ["answered"] * 3


async def test_a_message_somebody_answered_by_hand_is_left_alone(down: World) -> None:
    """A later outbound message with a sid unknown to us counts as an answer; another contact gets ours."""
    await _miss(down, "Qual o horário?")
    await _miss(down, "Qual o horário?", OTHER)
    await _sleep_through(down, MINUTE)
    down.twilio.create(MultiDict({"From": SMS, "To": CUSTOMER, "Body": "Das 7 às 19, abraço!"}))
    await _sleep_through(down, MINUTE)

    await down.start()
    await down.settle()

    assert down.sent() == ["Das 7 às 19, abraço!"]
    assert down.sent(OTHER) == ["Abrimos das 7h às 19h."]
    assert await down.column("SELECT suppressed FROM messages ORDER BY id") == ["answered elsewhere", None]
    assert await down.dispositions() == ["answered", "answered"]


async def test_what_twilio_says_to_a_keyword_answers_no_question(down: World) -> None:
    """HELP is answered by Twilio alone; the question before it is still ours."""
    await _miss(down, "Qual o horário?")
    await _sleep_through(down, MINUTE)
    await _miss(down, "Help")
    await _sleep_through(down, 5 * MINUTE)

    await down.start()
    await down.settle()

    assert down.sent() == ["Abrimos das 7h às 19h."]
    assert await down.column("SELECT suppressed FROM messages ORDER BY id") == [None, "answered by Twilio"]


async def test_a_reply_by_twiml_counts_as_an_answer(down: World) -> None:
    """Another application of the number has answered: not again."""
    await _miss(down, "Qual o horário?")
    down.twilio._reply(next(iter(down.twilio.ledger)), "Das 7h às 19h.")
    await _sleep_through(down, 5 * MINUTE)

    await down.start()
    await down.settle()

    assert down.sent() == []
    assert await down.column("SELECT suppressed FROM messages") == ["answered elsewhere"]


async def test_too_old_messages_become_a_card(down: World) -> None:
    """Three hours later nobody wants a machine's answer."""
    await _miss(down, "Qual o horário?")
    await _sleep_through(down, 3 * HOUR)

    await down.start()
    await down.settle()

    assert down.sent() == []
    assert await down.dispositions() == ["dead"]
    assert await down.cards() == ["too_late"]


async def test_a_missed_stop_takes_effect(down: World) -> None:
    """STOP counts however it comes, and nothing is sent after it."""
    await _miss(down, "Qual o horário?", "whatsapp:+5511988887777", WHATSAPP)
    await _miss(down, "SAIR", "whatsapp:+5511988887777", WHATSAPP)
    await _sleep_through(down, 5 * MINUTE)

    await down.start()
    await down.settle()

    assert await down.column("SELECT opted_out_at IS NOT NULL FROM contacts") == [1]
    assert [body[:6] for body in down.sent("whatsapp:+5511988887777")] == ["Pronto"]


async def test_an_unreadable_log_moves_no_watermark(down: World) -> None:
    """The pass is repeated until it is complete."""
    before = NOON
    down.twilio.faults.add(Fault("list", "error", times=None))
    await _miss(down, "Qual o horário?")
    await _sleep_through(down, 5 * MINUTE)
    await down.start()
    await down.settle()
    assert down.sent() == []
    assert max(await down.column("SELECT watermark_at FROM channels")) <= before + 60_000

    down.twilio.faults.clear()
    await _pass(down, 6 * MINUTE)

    assert down.sent() == ["Abrimos das 7h às 19h."]


async def test_a_late_webhook_brings_the_name_and_twilios_own_word_on_consent(down: World) -> None:
    """Advanced Opt-Out has answered the STOP: it counts, and ours that was still waiting is not sent."""
    ana = "whatsapp:+5511988887777"
    sid = await _miss(down, "SAIR", ana, WHATSAPP)
    await _sleep_through(down, 5 * MINUTE)
    await down.start()
    await down.appliance.engine.worker.stop()
    await down.until(lambda: _fetched(down))

    await down.say("SAIR", ana, WHATSAPP, sid=sid, extra={"OptOutType": "STOP", "ProfileName": "Ana"})

    assert await down.rows("SELECT profile_name, opted_out_at IS NOT NULL AS stopped FROM contacts") == [
        {"profile_name": "Ana", "stopped": 1}
    ]
    assert await down.column("SELECT suppressed FROM messages") == ["answered by Twilio"]
    assert down.sent(ana) == []


async def _fetched(world: World) -> bool:
    return await world.column("SELECT count(*) FROM messages") == [1]


async def test_a_late_webhook_without_a_body_takes_none_away(down: World) -> None:
    """What the log had stays; a name that was known is not forgotten either."""
    sid = await _miss(down, "Qual o horário?")
    await _sleep_through(down, 5 * MINUTE)
    await down.start()
    await down.settle()

    await down.say("", sid=sid, extra={"Body": "", "ProfileName": "Ana"})
    await down.say("outra", sid="SM" + "7" * 32)
    await down.settle()

    assert (await down.column("SELECT body FROM messages"))[0] == "Qual o horário?"
    assert await down.column("SELECT profile_name FROM contacts") == ["Ana"]


async def test_what_needs_no_answer_is_no_card_however_old(down: World) -> None:
    """A STOP of three hours ago takes effect; nobody has to look at it."""
    await _miss(down, "STOP")
    await _sleep_through(down, 3 * HOUR)

    await down.start()
    await down.settle()

    assert await down.column("SELECT opted_out_at IS NOT NULL FROM contacts") == [1]
    assert await down.dispositions() == ["suppressed"]
    assert await down.cards() == []


async def test_the_log_is_read_with_the_token_that_lives(tmp_path: Path) -> None:
    """The first token was killed by promoting the second, and nothing was sent since: the log is read all the same."""
    async with World(tmp_path, clock=ManualClock(NOON), twilio={"auth_tokens": ("0" * 32, TOKEN)}) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        await world.stop()
        await _miss(world, "Qual o horário?")
        await _sleep_through(world, MINUTE)

        await world.start()
        await world.settle()

        assert world.sent() == ["Abrimos das 7h às 19h."]


async def test_media_that_was_deleted_holds_nobody_up(down: World) -> None:
    """404: nothing is attached any more. Anything else proves nothing."""
    await down.start()
    log = down.log

    assert await log.media("MM" + "0" * 32) == ()
    await down.twilio_line.cut()
    with pytest.raises(LogUnavailableError):
        await log.media("MM" + "0" * 32)
    await down.twilio_line.mend()


async def test_a_list_whose_second_page_fails_was_not_read(down: World) -> None:
    """More than a thousand messages, and the connection breaks behind the first thousand: nothing is concluded."""
    await down.start()
    await down.settle()
    for number in range(1_001):
        await _miss(down, "spam", f"+55117{number:08}")
    assert isinstance(down.clock, ManualClock)
    since = down.clock.now() - 60_000
    found = await down.log.inbound(SMS, since)
    assert len(found.messages) == 1_001

    down.twilio.faults.add(Fault("list", "lag", seconds=0), Fault("list", "error"))
    with pytest.raises(LogUnavailableError):
        await down.log.inbound(SMS, since)


async def _nothing() -> None: ...


async def test_a_webhook_that_got_503_makes_a_pass_due(tmp_path: Path) -> None:
    """The message Twilio could not hand over is fetched within half a minute, not at the next interval."""
    async with World(tmp_path, clock=ManualClock(NOON), twilio={"catch_up_every": 24 * 3_600_000}) as world:
        await world.teach("Horário", "Abrimos das 7h às 19h.")
        page_count = await world.appliance.store.write(lambda tx: tx.sql.value("PRAGMA page_count"))
        await world.appliance.store.write(lambda tx: tx.sql.value(f"PRAGMA max_page_count = {page_count}"))
        statuses = [(await world.twilio.receive(f"+55119{n:08}", SMS, "Qual o horário? " * 50))[1] for n in range(40)]
        assert 503 in statuses
        await world.appliance.store.write(lambda tx: tx.sql.value("PRAGMA max_page_count = 1000000"))
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(2, _nothing)  # an outcome that found no space waits for a second

        await _pass(world, MINUTE)

        assert await world.column("SELECT count(*) FROM messages") == [40]


def _logged(sid: str, at: int, direction: str = "inbound") -> LoggedMessage:
    return LoggedMessage(sid, direction, CUSTOMER, SMS, "oi", "received", None, at)


def test_what_is_missing() -> None:
    """Only inbound messages that are unknown; those under 20 s old are still their webhook's business."""
    messages = [_logged("S1", 0), _logged("S2", 0), _logged("S3", 0, "outbound-api"), _logged("S4", 30_000)]

    assert [message.sid for message in missing(messages, {"S1"})] == ["S2", "S4"]
    assert [is_webhooks_own(message, 40_000) for message in messages] == [False, False, False, True]


@pytest.mark.parametrize(
    ("hour", "age", "said", "expected"),
    [
        (12, 10, (), Fate.ANSWER),
        (12, 119, (), Fate.ANSWER),
        (12, 121, (), Fate.TOO_OLD),
        (21, 29, (), Fate.ANSWER),
        (21, 31, (), Fate.TOO_OLD),
        (7, 31, (), Fate.TOO_OLD),
        (8, 31, (), Fate.ANSWER),
        (12, 10, ("unknown",), Fate.ANSWERED_ELSEWHERE),
        (12, 10, ("ours",), Fate.ANSWER),
        (12, 10, ("unknown, earlier",), Fate.ANSWER),
    ],
)
def test_fate(hour: int, age: int, said: tuple[str, ...], expected: Fate) -> None:
    """Age, the organization's night, and what somebody else said decide."""
    now = NOON + (hour - 12) * 3_600_000
    message = _logged("S1", now - age * 60_000)
    said_at = {"unknown, earlier": message.created_at - 1_000}
    outbound = [_logged(sid, said_at.get(sid, now - 1_000), "outbound-api") for sid in said]

    found = fate(message, outbound, {"ours"}, twilio_now=now, within=2 * 3_600_000, timezone="America/Sao_Paulo")

    assert found == expected


async def test_a_log_that_stays_unreadable_is_told_on_a_card(down: World) -> None:
    """After half an hour, once; the card goes when the log can be read again. The key may not read: the link is well."""
    down.twilio.faults.add(Fault("list", "error", status=403, code=20008, times=None))
    await down.start()
    await _pass(down, 20 * MINUTE)
    assert await down.cards() == []

    await _pass(down, 15 * MINUTE)
    assert await down.cards() == ["log"]
    down.twilio.faults.clear()
    await _pass(down, MINUTE)

    assert await down.cards() == []


async def test_of_a_link_in_trouble_the_log_tells_nothing(down: World) -> None:
    """Twilio answers with errors of its own for an hour: the watch's card says so, and no other beside it."""
    down.twilio.faults.add(Fault("list", "error", times=None))
    await down.start()
    await _pass(down, 60 * MINUTE)
    assert await down.cards() == ["unreachable"]
    down.twilio.faults.clear()
    await _pass(down, MINUTE)

    assert await down.cards() == []
