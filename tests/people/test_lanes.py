"""A person who writes by two addresses at once: one lane each, each message answered once, and one customer's limits."""

import asyncio
from pathlib import Path

from appliance.model import JobKind
from appliance.operations.verification import verify
from appliance.ports import Dialogue, Reply
from tests.people.scene import ANSWER, NUMBER, QUESTION, THERE, USER_ID, WHERE, by_hand, join, pass_, say, shop
from tests.support.fake_ai import FakeAi
from tests.support.world import WHATSAPP, ManualClock, World


class Gated:
    """A responder that answers some questions when it is told to, and notes what it was shown."""

    def __init__(self, *gated: str) -> None:
        self.gates = {question: asyncio.Semaphore(0) for question in gated}
        self.asked: list[Dialogue] = []

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        self.asked.append(dialogue)
        if (gate := self.gates.get(dialogue.questions[0])) is not None:
            await gate.acquire()
        return Reply("gated", f"Re: {' '.join(dialogue.questions)}")

    def times(self, question: str) -> int:
        return sum(each.questions[0] == question for each in self.asked)

    async def close(self) -> None:
        """Nothing is held."""


async def ask(world: World, question: str, sender: str, times: int = 1) -> None:
    """Until the responder thinks about it for the so manieth time."""
    await world.say(question, sender, WHATSAPP)
    await asked(world, question, times)


async def asked(world: World, question: str, times: int) -> None:
    responder = world.responder
    assert isinstance(responder, Gated)
    await world.until(lambda: responder.times(question) >= times)


async def test_two_lanes_with_live_jobs_when_they_become_one(tmp_path: Path) -> None:
    """Both addresses wait for an answer when they are joined. The draft to the number is withdrawn once for what the id
    asked later, and no more, although that waits for long; each question is answered once, at its own address.
    """
    gated = Gated("um", "dois")
    async with World(tmp_path, responder=gated) as world:
        await ask(world, "um", NUMBER)
        await ask(world, "dois", USER_ID)
        await join(world)
        gated.gates["um"].release()
        await world.until(lambda: gated.times("um") == 2 or world.sent(NUMBER))
        assert world.sent(NUMBER) == []
        gated.gates["um"].release()
        await world.until(lambda: world.sent(NUMBER))
        gated.gates["dois"].release()
        await world.until(lambda: world.sent(USER_ID))
        await world.settle()

        assert (world.sent(NUMBER), world.sent(USER_ID)) == (["Re: um"], ["Re: dois"])
        assert [each.questions for each in gated.asked] == [("um",), ("dois",), ("um",)]
        assert await world.column("SELECT trim(state || ' ' || reason) FROM outbox ORDER BY id") == [
            "superseded newer message",
            "read",
            "read",
        ]
        assert await world.dispositions() == ["answered", "answered"]
        assert (await world.appliance.store.read(verify)).problems == []


async def test_who_keeps_writing_by_the_other_address_gets_an_answer(tmp_path: Path) -> None:
    """Each of four messages by the id comes while the number's answer is thought about: it is withdrawn twice at most."""
    gated = Gated("um", "dois 0")
    async with World(tmp_path, responder=gated) as world:
        await join(world)
        await ask(world, "um", NUMBER)
        for number in range(3):
            await world.say(f"dois {number}", USER_ID, WHATSAPP)
            gated.gates["um"].release()
            if number < 2:
                await asked(world, "um", number + 2)
        await world.until(lambda: world.sent(NUMBER))
        gated.gates["dois 0"].release()
        gated.gates["dois 0"].release()
        await world.until(lambda: "dois 2" in " ".join(world.sent(USER_ID)))
        await world.settle()

        assert world.sent(NUMBER) == ["Re: um"]
        assert gated.times("um") == 3
        assert [" ".join(world.sent(USER_ID)).count(f"dois {number}") for number in range(3)] == [1, 1, 1]


async def test_what_was_said_by_the_other_address_is_known(tmp_path: Path) -> None:
    """The responder sees both addresses' turns in their order, and no first contact; what waits elsewhere it does not
    see, or it would answer that as well.
    """
    gated = Gated("espera")
    async with World(tmp_path, responder=gated) as world:
        await join(world)
        for body, address in (("um", NUMBER), ("dois", USER_ID), ("tres", NUMBER)):
            await say(world, body, address)
        await ask(world, "espera", USER_ID)
        await ask(world, "quatro", NUMBER)

        said = [turn.text for turn in gated.asked[-1].turns]
        assert said == ["um", "Re: um", "dois", "Re: dois", "tres", "Re: tres"]
        assert [each.first_contact for each in gated.asked[:2]] == [True, False]
        gated.gates["espera"].release()
        await world.settle()


async def test_the_loop_guard_counts_the_person(tmp_path: Path) -> None:
    """A robot with two addresses gets no more answers than one with one, and the model is paid for no more."""
    model = FakeAi()
    async with World(tmp_path, clock=ManualClock(), model=model, conversations={"max_replies_per_hour": 4}) as world:
        await join(world)
        for number in range(4):
            await say(world, f"beep {number}", NUMBER)
            await say(world, f"boop {number}", USER_ID)

        assert (len(world.sent(NUMBER)), len(world.sent(USER_ID))) == (2, 2)
        assert len(model.requests) == 4
        assert await world.dispositions() == ["answered"] * 4 + ["suppressed"] * 4


async def test_a_missed_message_that_was_answered_at_the_other_address(tmp_path: Path) -> None:
    """A person answered the id from Twilio's console what the number had asked while the box was off."""
    async with shop(tmp_path) as world:
        await join(world)
        await say(world, WHERE, USER_ID)
        await world.twilio.receive(NUMBER, WHATSAPP, QUESTION, deliver=False)
        await pass_(world, 60)
        await by_hand(world, "Às sete!", USER_ID)
        await pass_(world, 60)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await pass_(world, 30)

        assert world.sent(NUMBER) == []
        assert await world.dispositions() == ["answered", "answered"]
        assert (await world.column("SELECT suppressed FROM messages ORDER BY id"))[-1] == "answered elsewhere"


async def test_our_own_answer_to_the_other_address_is_no_persons_word(tmp_path: Path) -> None:
    """Behind the missed message stands an answer of ours to the id: the message is answered."""
    async with shop(tmp_path) as world:
        await join(world)
        await world.twilio.receive(NUMBER, WHATSAPP, QUESTION, deliver=False)
        await pass_(world, 5)
        await say(world, WHERE, USER_ID)
        await pass_(world, 60)
        await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await pass_(world, 30)

        assert (world.sent(NUMBER), world.sent(USER_ID)) == ([ANSWER], [THERE])


async def hand_back(world: World) -> None:
    """The timer looks; what a person said to one address is known for the other at its next look."""
    await world.appliance.engine.schedule.tick(JobKind.HAND_BACK)
    await pass_(world, 30)


async def test_a_person_is_in_charge_of_both(tmp_path: Path) -> None:
    """ATENDENTE by the number: silence for the id too, one card. When the time is over each is answered in its lane."""
    async with shop(tmp_path, conversations={"human_for": 60 * 60 * 1000}) as world:
        await join(world)
        await say(world, "ATENDENTE", NUMBER)
        await pass_(world, 50 * 60)
        await say(world, QUESTION, USER_ID)
        await say(world, WHERE, NUMBER)
        assert (len(world.sent(NUMBER)), world.sent(USER_ID)) == (1, [])
        assert await world.cards() == ["waiting"]
        assert await world.column("SELECT status FROM conversations") == ["human", "human"]

        await pass_(world, 20 * 60)
        await hand_back(world)

        assert (world.sent(NUMBER)[1:], world.sent(USER_ID)) == ([THERE], [ANSWER])
        assert await world.column("SELECT handover FROM contacts") == [None, None]
        assert (await world.appliance.store.read(verify)).problems == []


async def test_who_is_with_a_person_when_they_become_one(tmp_path: Path) -> None:
    """The number asked for a person before anybody knew: from the link on the id is silent too, and a word to the id is
    that person's.
    """
    async with shop(tmp_path) as world:
        await say(world, "ATENDENTE", NUMBER)
        await say(world, QUESTION, USER_ID)
        assert world.sent(USER_ID) == [ANSWER]

        await join(world)
        await say(world, WHERE, USER_ID)
        await say(world, WHERE, NUMBER)
        assert world.sent(USER_ID) == [ANSWER]
        await by_hand(world, "Sim, no centro.", USER_ID)
        await pass_(world, 60)
        await world.appliance.store.write(lambda tx: tx.contacts.ask_back(1))
        await hand_back(world)
        await hand_back(world)

        assert await world.column("SELECT suppressed FROM messages WHERE body = ?", WHERE) == ["answered elsewhere"] * 2
        assert (len(world.sent(NUMBER)), len(world.sent(USER_ID))) == (1, 2)
