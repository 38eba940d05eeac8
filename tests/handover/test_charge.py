"""While a person is in charge, or promised: what is answered, what waits, and when the card of a waiting customer closes."""

from pathlib import Path

import pytest

from appliance.handover import charge
from appliance.model import HOUR, Handover, JobKind, TextKey
from appliance.operations.verification import verify
from appliance.ports import Dialogue, Reply
from appliance.simulator import Fault
from appliance.store import Tx
from tests.handover.test_hand_back import BUSY, BY_HAND, QUESTION, by_hand, handed_over, in_hand, say, tick
from tests.support.api_client import api_of
from tests.support.world import CUSTOMER, WHATSAPP, ManualClock, World, sleep

HOURS = "Abrimos das 7h às 19h."
REMINDER = BY_HAND | {"body": "Amanhã às 9h."}


class Model:
    """A responder that hands over, as a model with [[HANDOFF]]."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        return Reply("small", key=TextKey.HANDOFF)

    async def close(self) -> None:
        """Nothing is held."""


async def kinds(world: World) -> list[str]:
    return await world.column("SELECT kind FROM outbox ORDER BY id")


async def test_where_the_faq_did_not_know_it_goes_on_with_what_it_knows(tmp_path: Path) -> None:
    """One text and a card; known questions are answered, unknown ones are promised, and it says so only once."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", HOURS)
        for body in (
            QUESTION,
            "Alugam barcos?",
            QUESTION,
            "Qual o horário?",
            QUESTION,
            "Alugam barcos?",
            "Que horas abrem?",
        ):
            await say(world, body)

        assert await kinds(world) == ["dont_know", "dont_know", "handoff", "answer", "answer"]
        assert await world.column("SELECT count(*) FROM messages WHERE suppressed = 'promised'") == [2]
        assert await world.column("SELECT status FROM conversations") == ["progress"]
        assert await world.rows("SELECT kind, times FROM cards") == [{"kind": "waiting", "times": 3}]


async def test_it_says_again_that_it_does_not_know_when_the_promise_is_over(tmp_path: Path) -> None:
    """After `human_for` it begins anew with the first of its two attempts; the card stays, as nobody answered."""
    async with handed_over(tmp_path) as world:
        for _ in range(3):
            await say(world, QUESTION)
        await sleep(world, 181)
        await tick(world, JobKind.HAND_BACK)
        await say(world, QUESTION)

        assert await kinds(world) == ["dont_know", "dont_know", "handoff", "dont_know"]
        assert await world.cards() == ["waiting"]


async def test_who_asks_for_a_person_after_the_promise_gets_silence(tmp_path: Path) -> None:
    """The request counts from now on, and nothing is answered any more, whatever the FAQ knows."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", HOURS)
        for body in (QUESTION, QUESTION, QUESTION, "ATENDENTE", "Qual o horário?"):
            await say(world, body)

        assert (await kinds(world))[2:] == ["handoff", "handoff"]
        assert await in_hand(world) == "asked"
        assert (await world.dispositions())[-1] == "suppressed"


async def test_a_model_that_hands_over_was_asked_to(tmp_path: Path) -> None:
    """Its mark means that a person is wanted: silence."""
    async with World(tmp_path, responder=Model()) as world:
        await say(world, "Quero reclamar.")
        await say(world, "Alô?")

        assert await in_hand(world) == "asked"
        assert await kinds(world) == ["handoff"]
        assert await world.column("SELECT status FROM conversations") == ["human"]


async def test_a_person_who_answers_while_the_model_is_asked_is_not_announced(tmp_path: Path) -> None:
    """The model then says that a person will answer: one has, so nothing is sent and the silence counts from that word."""

    def speak(tx: Tx) -> None:
        contact = tx.contacts.get(1)
        assert contact is not None
        charge.spoke(tx, contact, tx.now, [], "api")

    class Overtaken(Model):
        async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
            await world.appliance.store.write(speak)
            return await super().respond(dialogue, timeout)

    async with World(tmp_path, responder=Overtaken()) as world:
        await say(world, "Quero reclamar.")

        assert await kinds(world) == []
        assert await in_hand(world) == "taken"
        assert await world.column("SELECT suppressed FROM messages") == ["answered elsewhere"]


async def test_a_message_to_somebody_who_waits_for_nobody_takes_nobody(tmp_path: Path) -> None:
    """A script's reminder is no conversation: the appliance goes on answering."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", HOURS)
        await say(world, "Qual o horário?")
        async with api_of(world) as api:
            await api.post("messages", REMINDER)
        await say(world, "Qual o horário?")

        assert world.sent() == [HOURS, REMINDER["body"], HOURS]
        assert await in_hand(world) is None


async def test_whoever_is_answered_late_is_taken_all_the_same(tmp_path: Path) -> None:
    """The three hours are over and the card is open: a person's answer closes it and keeps the appliance silent."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        await sleep(world, 181)
        await tick(world, JobKind.HAND_BACK)
        assert (await world.cards(), await in_hand(world)) == (["waiting"], None)

        await by_hand(world)

        assert (await world.cards(), await in_hand(world)) == ([], "taken")


async def test_an_answer_that_never_left_is_no_answer(tmp_path: Path) -> None:
    """WhatsApp's window is closed: the customer goes on waiting, on the card too."""
    async with handed_over(tmp_path, expire_after=72 * HOUR) as world:
        await world.say("ATENDENTE", f"whatsapp:{CUSTOMER}", WHATSAPP)
        await world.settle()
        await sleep(world, 25 * 60)
        async with api_of(world) as api:
            await api.post("messages", BY_HAND | {"from": WHATSAPP, "to": f"whatsapp:{CUSTOMER}"})
        await world.settle()

        assert await world.cards() == ["waiting", "not_sent"]
        assert await in_hand(world) == "asked"


async def test_an_answer_in_doubt_counts_when_it_is_found(tmp_path: Path) -> None:
    """Twilio took a person's words and its answer was lost: the callback closes the card, from when they were written."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        await say(world, QUESTION)
        world.twilio.faults.add(Fault("create", "reset", accepted=True))
        await by_hand(world)

        assert await world.cards() == []
        assert await world.column("SELECT suppressed FROM messages ORDER BY id") == [None, "answered elsewhere"]


async def test_what_came_after_a_persons_words_still_waits(tmp_path: Path) -> None:
    """A question that came while those words were on their way is not answered by them: card and message wait on."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        world.twilio.faults.add(BUSY)
        await by_hand(world)
        await sleep(world, 1)
        await say(world, QUESTION)
        world.twilio.faults.clear()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(120, world.settle)

        assert world.sent()[1:] == [BY_HAND["body"]]
        assert await world.column("SELECT suppressed FROM messages ORDER BY id") == [None, "a person is in charge"]
        assert await world.cards() == ["waiting"]


async def test_a_draft_that_a_person_overtakes_waits_with_the_rest(tmp_path: Path) -> None:
    """The answer was written and not sent when the customer asked for a person: its question waits, and is answered."""
    async with handed_over(tmp_path) as world:
        await world.teach("Horário", HOURS)
        world.twilio.faults.add(BUSY)
        await say(world, "Qual o horário?")
        await world.appliance.store.write(lambda tx: tx.contacts.hand_over(1, Handover.ASKED, tx.now))
        world.twilio.faults.clear()
        assert isinstance(world.clock, ManualClock)
        await world.clock.advance(60, world.settle)
        assert world.sent() == []
        assert await world.column("SELECT suppressed FROM messages") == ["a person is in charge"]
        assert (await world.appliance.store.read(verify, limit=None)).problems == []

        async with api_of(world) as api:
            assert (await api.post("conversations/1/resume"))[0] == 202
        await world.clock.advance(60, world.settle)
        assert world.sent() == [HOURS]


@pytest.mark.parametrize(("word", "reason"), [("SAIR", "about consent"), ("STOP", "answered by Twilio")])
async def test_a_word_about_consent_is_heeded_and_is_no_question(tmp_path: Path, word: str, reason: str) -> None:
    """Silence in a person's hands also for the confirmation; nothing is answered afterwards to somebody who left."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        await say(world, QUESTION)
        await say(world, word)
        async with api_of(world) as api:
            await api.post("conversations/1/resume")
        await world.settle()

        assert len(world.sent()) == 1
        assert await world.column("SELECT suppressed FROM messages ORDER BY id") == [None, "opted out", reason]
        assert await in_hand(world) is None


async def test_a_closed_conversations_question_is_answered_in_the_open_one(tmp_path: Path) -> None:
    """Each expired while a person was in charge: one answer to all that was asked, in a conversation that can be open."""
    async with handed_over(tmp_path, expire_after=5 * 60_000) as world:
        await world.teach("Horário", HOURS)
        await say(world, "ATENDENTE")
        for _ in range(2):
            await sleep(world, 60)
            await say(world, "Qual o horário?")
        await sleep(world, 61)
        await tick(world, JobKind.HAND_BACK)

        assert world.sent()[1:] == [HOURS]
        assert await world.dispositions() == ["answered", "dead", "answered"]
        assert await world.column("SELECT status FROM conversations ORDER BY id") == [
            "closed",
            "closed",
            "closed",
            "progress",
        ]


async def test_verify_finds_a_message_that_waits_for_nobody(tmp_path: Path) -> None:
    """The law of hand-overs: who waits for a person is with a person, or promised one."""
    async with handed_over(tmp_path) as world:
        await say(world, "ATENDENTE")
        await say(world, QUESTION)
        await world.appliance.store.write(lambda tx: tx.contacts.hand_back(1))

        found = await world.appliance.store.read(verify, limit=None)

        assert found.problems == ["messages that wait for a person whom nobody asked: 2"]


async def test_the_api_hands_back_by_id_and_by_address(tmp_path: Path) -> None:
    """202 while Twilio's log is read, 200 when it is the appliance's; on two channels the address says too little."""
    async with handed_over(tmp_path) as world, api_of(world) as api:
        assert (await api.post("conversations/1/resume"))[0] == 404
        assert (await api.post("conversations/%2B5511900000000/resume"))[0] == 404
        await say(world, "ATENDENTE")
        await world.settle()
        path = f"conversations/%2B{CUSTOMER[1:]}/resume"

        assert await api.post(path) == (202, {"id": 1, "state": "waiting"})
        await world.settle()
        assert await api.post(path) == (200, {"id": 1, "state": "automatic"})
        assert await api.post(f"conversations/{'9' * 30}/resume") == (await api.post("conversations/7/resume"))

        def hand_over_twice(tx: Tx) -> None:
            other = tx.contacts.ensure(2, CUSTOMER)
            tx.conversations.insert(1, 2, other.id, "another", tx.now + HOUR)
            for contact_id in (1, other.id):
                tx.contacts.hand_over(contact_id, Handover.ASKED, tx.now)

        await world.appliance.store.write(hand_over_twice)
        status, refused = await api.post(path)
        assert (status, refused["error"]["code"]) == (409, "which_conversation")
        assert "1, 2" in refused["error"]["message"]
