"""What somebody says to a customer from Twilio's console: the appliance is silent from then on, and knows its own echo."""

from pathlib import Path

import pytest
from multidict import MultiDict

from appliance.model import HOUR, JobKind
from appliance.simulator import Fault
from appliance.store.box import Fact
from tests.handover.test_hand_back import BUSY, QUESTION, handed_over, in_hand, say, tick
from tests.support.api_client import api_of
from tests.support.wire import callback
from tests.support.world import CUSTOMER, SMS, ManualClock, World, sleep

HOURS = "Abrimos das 7h às 19h."


def from_the_console(world: World, to: str = CUSTOMER, body: str = "Oi, aqui é a Ana.") -> None:
    entry = world.twilio.create(MultiDict({"From": SMS, "To": to, "Body": body}))
    world.twilio.ledger.set_status(entry, "sent", world.twilio.now())


async def events(world: World) -> list[tuple[str, str]]:
    rows = await world.rows("SELECT what, who FROM handover_events ORDER BY id")
    return [(row["what"], row["who"]) for row in rows]


async def test_a_word_from_the_console_takes_over(tmp_path: Path) -> None:
    """Nobody had asked: silent for three hours from the word, whatever comes in; then the appliance's again."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", HOURS)
        await say(world, "Qual o horário?")
        await sleep(world, 1)
        from_the_console(world)
        await sleep(world, 5)
        await tick(world, JobKind.CATCH_UP)
        await say(world, "Qual o horário?")
        assert len(world.sent()) == 2
        assert await events(world) == [("taken", "console")]
        assert await world.column("SELECT spoke_at - created_at FROM contacts") == [60_000]

        await sleep(world, 174)
        await tick(world, JobKind.HAND_BACK)
        assert await in_hand(world) == "taken"
        await sleep(world, 2)
        await tick(world, JobKind.HAND_BACK)

        assert await in_hand(world) is None
        assert await events(world) == [("taken", "console"), ("given_back", "")]


async def test_it_answers_who_was_promised_a_person(tmp_path: Path) -> None:
    """The card goes at the next pass, long before the silence ends, and what was asked before the word is answered."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        await say(world, QUESTION)
        await sleep(world, 10)
        from_the_console(world)
        await sleep(world, 1)
        await say(world, QUESTION)
        await tick(world, JobKind.CATCH_UP)

        suppressed = await world.column("SELECT suppressed FROM messages ORDER BY id")
        assert suppressed == [None, "answered elsewhere", "a person is in charge"]
        assert await world.cards() == ["waiting"]  # for the second question
        from_the_console(world)
        await sleep(world, 1)
        await tick(world, JobKind.CATCH_UP)
        assert await world.cards() == []


async def test_a_word_from_before_the_request_answers_nobody(tmp_path: Path) -> None:
    """The promise came later, and stays."""
    async with handed_over(tmp_path) as world:
        await say(world, "Oi")
        from_the_console(world)
        await sleep(world, 1)
        await say(world, "ATENDENTE")
        await sleep(world, 1)
        await tick(world, JobKind.CATCH_UP)

        assert await world.cards() == ["waiting"]
        assert await events(world) == [("asked", "")]


async def test_who_was_given_back_is_not_taken_by_the_same_word_again(tmp_path: Path) -> None:
    """The log shows it for a while to come; a new word takes over anew."""
    async with handed_over(tmp_path) as world, api_of(world) as api:
        await say(world, "Oi")
        await sleep(world, 1)
        from_the_console(world)
        await sleep(world, 1)
        await tick(world, JobKind.CATCH_UP)
        assert await in_hand(world) == "taken"
        await api.post("conversations/1/resume")
        await world.settle()
        for _ in range(3):
            await tick(world, JobKind.CATCH_UP)
            await sleep(world, 1)
        assert await in_hand(world) is None

        from_the_console(world)
        await sleep(world, 1)
        await tick(world, JobKind.CATCH_UP)
        assert await in_hand(world) == "taken"


async def test_its_own_echo_is_no_person(tmp_path: Path) -> None:
    """Answers, a script's reminder, one whose POST was answered by nobody, one in doubt, and Twilio's own to HELP."""
    async with handed_over(tmp_path) as world, api_of(world) as api:
        await world.teach("Horário", HOURS)
        await say(world, "Qual o horário?")
        await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Amanhã às 9h."})
        await world.settle()
        await say(world, "HELP")
        world.twilio.faults.add(Fault("create", "reset", accepted=True), Fault("callback", "lost", times=None))
        await say(world, "Qual o horário?")
        for _ in range(20):
            await sleep(world, 1)
            await tick(world, JobKind.CATCH_UP)

        assert await in_hand(world) is None
        assert await events(world) == []


@pytest.mark.parametrize("hours", [0, 25])
async def test_a_reminder_to_who_has_not_written_takes_nobody(tmp_path: Path, hours: int) -> None:
    """Nor one to whom the conversation is over, as another tool sends them to many."""
    async with handed_over(tmp_path) as world:
        if hours:
            await say(world, "Oi")
            await sleep(world, hours * 60)
        from_the_console(world)
        from_the_console(world, "+5511900000001")
        await sleep(world, 1)
        await tick(world, JobKind.CATCH_UP)
        await say(world, "Oi")

        assert await in_hand(world) is None


async def test_a_draft_that_waits_when_the_word_is_heard_stays_unsent(tmp_path: Path) -> None:
    """Its question was answered by the person: nobody is answered twice."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", HOURS)
        world.twilio.faults.add(BUSY)
        await say(world, "Qual o horário?")
        from_the_console(world)
        await sleep(world, 2)
        await tick(world, JobKind.CATCH_UP)
        world.twilio.faults.clear()
        await sleep(world, 2)

        assert world.sent() == ["Oi, aqui é a Ana."]
        assert await world.column("SELECT suppressed FROM messages") == ["answered elsewhere"]
        assert "waiting" not in await world.cards()


async def test_too_much_to_read_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came in is fetched all the same; who is in a person's hands is looked up before being handed back."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        from_the_console(world)
        await sleep(world, 1)
        with monkeypatch.context() as patch:
            patch.setattr("appliance.twilio.log.MOST", 1)
            await tick(world, JobKind.CATCH_UP)
        assert await world.column("SELECT status FROM message_queue WHERE kind = 'catch_up' ORDER BY id")
        assert await world.cards() == ["waiting"]
        await sleep(world, 3 * HOUR // 60_000)
        await tick(world, JobKind.HAND_BACK)

        assert await events(world) == [("asked", ""), ("taken", "console"), ("given_back", "")]


async def test_a_callback_of_nobodys_message_makes_the_log_be_read_soon(tmp_path: Path) -> None:
    """Within a minute and a half instead of five, once for however many callbacks there are."""
    async with handed_over(tmp_path) as world:
        await say(world, "Oi")
        await sleep(world, 1)
        from_the_console(world)
        sid = list(world.twilio.ledger)[-1].sid
        before = await world.column("SELECT count(*) FROM message_queue WHERE kind = 'catch_up'")
        for status in ("queued", "sent", "delivered"):
            assert await callback(world, "", sid, status) == 204
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(75, world.settle)

        assert await in_hand(world) == "taken"
        assert await world.column("SELECT count(*) FROM message_queue WHERE kind = 'catch_up'") == [before[0] + 1]


async def test_what_a_lost_box_sent_is_no_person(tmp_path: Path) -> None:
    """A copy was put in place: what the log shows from before is not known here, and takes nobody."""
    async with handed_over(tmp_path) as world:
        await say(world, "Oi")
        await sleep(world, 1)
        from_the_console(world, body="Resposta da caixa perdida")
        await sleep(world, 1)
        await world.appliance.store.write(lambda tx: tx.box.put(Fact.LOST_UNTIL, tx.now))
        await tick(world, JobKind.CATCH_UP)
        assert await in_hand(world) is None

        await sleep(world, 1)
        from_the_console(world)
        await sleep(world, 1)
        await tick(world, JobKind.CATCH_UP)
        assert await in_hand(world) == "taken"
