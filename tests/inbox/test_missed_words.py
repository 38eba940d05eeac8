"""Words about consent whose webhooks were lost: they count in the order in which they were said."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.model import JobKind
from appliance.simulator import Fault
from appliance.wire import LogRead
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000
ON_WHATSAPP = f"whatsapp:{CUSTOMER}"
ANSWER = "Abrimos das 7h às 19h."
GONE = "Pronto, você não receberá mais mensagens nossas por aqui. Para voltar, responda VOLTAR."
BACK = "Pronto, voltamos a conversar. Como posso ajudar?"


class Shop:
    """A running appliance, and customers whose webhooks may be lost."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world = world
        self.clock = clock

    async def hear(self, body: str, sender: str = ON_WHATSAPP, to: str = WHATSAPP) -> None:
        await self.world.say(body, sender, to)
        await self.pass_(30)

    async def ask_in_vain(self, sender: str = ON_WHATSAPP, to: str = WHATSAPP) -> None:
        """A question whose answer is in doubt and never arrived."""
        self.world.twilio.faults.add(Fault("callback", "lost", times=None), Fault("create", "reset"))
        await self.hear("Qual o horário?", sender, to)

    async def miss(self, body: str, sender: str = ON_WHATSAPP, to: str = WHATSAPP) -> None:
        await self.world.twilio.receive(sender, to, body, deliver=False)
        await self.pass_(30)

    async def catch_up(self) -> None:
        await self.world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
        await self.pass_(30)

    async def pass_(self, seconds: float) -> None:
        await self.clock.advance(seconds, self.world.settle)

    async def is_out(self) -> bool:
        return await self.world.column("SELECT opted_out_at IS NOT NULL FROM contacts") == [1]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    clock = ManualClock(NOON)
    async with World(tmp_path, clock=clock, twilio={"catch_up_every": 3_600_000}) as world:
        shop = Shop(world, clock)
        await world.teach("Horário", ANSWER)
        await shop.pass_(60)
        yield shop


async def test_a_missed_return_does_not_undo_the_opt_out_that_followed(shop: Shop) -> None:
    """SAIR, VOLTAR (lost), SAIR: she stays out and hears nothing of coming back."""
    await shop.hear("SAIR")
    await shop.miss("VOLTAR")
    await shop.hear("SAIR")
    await shop.catch_up()

    assert await shop.is_out()
    assert shop.world.sent(ON_WHATSAPP) == [GONE]
    assert await shop.world.dispositions() == ["answered", "suppressed", "suppressed"]


async def test_a_missed_opt_out_does_not_undo_the_return_that_followed(shop: Shop) -> None:
    """STOP (lost), START: her next question is answered."""
    await shop.hear("Qual o horário?", CUSTOMER, SMS)
    await shop.miss("STOP", CUSTOMER, SMS)
    await shop.hear("START", CUSTOMER, SMS)
    await shop.catch_up()
    await shop.hear("Qual o horário?", CUSTOMER, SMS)

    assert not await shop.is_out()
    assert shop.world.sent() == [ANSWER, ANSWER]


async def test_a_question_from_before_the_opt_out_gets_nothing(shop: Shop) -> None:
    """Not even a reminder: she asked, and then left."""
    await shop.miss("Qual o horário?")
    await shop.hear("SAIR")
    await shop.catch_up()

    assert shop.world.sent(ON_WHATSAPP) == [GONE]
    assert await shop.world.column("SELECT suppressed FROM messages WHERE source = 'catch_up'") == ["opted out"]


async def test_missed_words_in_a_row_leave_the_last_one_in_force(shop: Shop) -> None:
    """SAIR, VOLTAR, SAIR, all lost."""
    for word in ("SAIR", "VOLTAR", "SAIR"):
        await shop.miss(word)
    await shop.catch_up()

    assert await shop.is_out()
    assert shop.world.sent(ON_WHATSAPP)[-1] == GONE


async def test_twilios_late_word_for_a_caught_up_message_does_not_undo_a_newer_one(shop: Shop) -> None:
    """A custom keyword of Advanced Opt-Out is known only from its webhook, which comes after START."""
    await shop.hear("Qual o horário?", CUSTOMER, SMS)
    sid, _ = await shop.world.twilio.receive(CUSTOMER, SMS, "chega", deliver=False)
    await shop.pass_(60)
    await shop.catch_up()
    await shop.hear("START", CUSTOMER, SMS)

    await shop.world.say("chega", CUSTOMER, SMS, sid=sid, extra={"OptOutType": "STOP"})
    await shop.pass_(60)

    assert not await shop.is_out()


async def test_an_opt_out_is_heeded_while_a_send_in_doubt_holds_it_back(shop: Shop) -> None:
    """What was in doubt and never arrived is not sent to somebody who left meanwhile; leaving is confirmed."""
    await shop.ask_in_vain()
    await shop.miss("SAIR")
    await shop.catch_up()
    assert await shop.is_out()
    assert await shop.world.column("SELECT body FROM messages") == ["Qual o horário?"]

    await shop.pass_(1_000)

    assert shop.world.sent(ON_WHATSAPP) == [GONE]


async def test_an_opt_out_is_heeded_whatever_she_wrote_after_it(shop: Shop) -> None:
    """SAIR and a plain word of thanks, both lost while a send is in doubt."""
    await shop.ask_in_vain()
    await shop.miss("SAIR")
    await shop.miss("obrigado")
    await shop.catch_up()
    assert await shop.is_out()

    await shop.pass_(1_000)

    assert ANSWER not in shop.world.sent(ON_WHATSAPP)


@pytest.mark.parametrize(
    ("out", "back", "sender", "to"),
    [("SAIR", "VOLTAR", ON_WHATSAPP, WHATSAPP), ("SAIR", "VOLTAR", CUSTOMER, SMS), ("STOP", "UNSTOP", CUSTOMER, SMS)],
)
async def test_who_comes_back_after_a_heeded_opt_out_is_back(
    shop: Shop, out: str, back: str, sender: str, to: str
) -> None:
    """The opt-out is known before it is stored, and the return comes by webhook."""
    await shop.ask_in_vain(sender, to)
    await shop.miss(out, sender, to)
    await shop.catch_up()
    assert await shop.is_out()

    await shop.hear(back, sender, to)
    await shop.pass_(1_000)
    await shop.hear("Qual o horário?", sender, to)

    assert not await shop.is_out()
    assert shop.world.sent(sender)[-1] == ANSWER


async def test_a_heeded_opt_out_is_confirmed_when_its_own_webhook_comes(shop: Shop) -> None:
    """Late, and before catch-up may store it."""
    await shop.ask_in_vain()
    sid, _ = await shop.world.twilio.receive(ON_WHATSAPP, WHATSAPP, "SAIR", deliver=False)
    await shop.pass_(30)
    await shop.catch_up()

    await shop.world.say("SAIR", ON_WHATSAPP, WHATSAPP, sid=sid)
    await shop.pass_(1_000)

    assert await shop.is_out()
    assert shop.world.sent(ON_WHATSAPP) == [GONE]


async def test_a_clock_that_was_set_does_not_hide_the_last_word(shop: Shop) -> None:
    """Ten minutes fast while SAIR and VOLTAR come, then right; the next SAIR is lost."""
    shop.world.twilio.now = shop.clock.true
    shop.clock.jump(600)
    await shop.pass_(60)
    await shop.hear("SAIR")
    await shop.hear("VOLTAR")
    shop.clock.jump(-600)
    await shop.pass_(120)
    await shop.miss("SAIR")
    await shop.catch_up()

    assert await shop.is_out()


async def test_a_word_that_the_list_does_not_show_yet_counts(shop: Shop) -> None:
    """VOLTAR was lost, SAIR came by webhook a moment ago and is not in Twilio's list."""
    await shop.hear("SAIR")
    await shop.miss("VOLTAR")
    await shop.hear("SAIR")
    log = shop.world.log
    read = type(log).inbound

    async def lagging(self: Any, *about: Any, **options: Any) -> LogRead:
        found = await read(self, *about, **options)
        return replace(found, messages=tuple(m for m in found.messages if m.created_at < found.began_at - 40_000))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(log), "inbound", lagging)
        await shop.catch_up()

    assert await shop.is_out()


async def test_a_return_during_the_doubt_is_heeded_as_well(shop: Shop) -> None:
    """SAIR and VOLTAR, both lost while a send is in doubt: she is asked what she needs."""
    await shop.ask_in_vain()
    await shop.miss("SAIR")
    await shop.miss("VOLTAR")
    await shop.catch_up()
    assert not await shop.is_out()

    await shop.pass_(1_000)

    # What was in doubt may go out first, or give way to the answer to all three.
    assert shop.world.sent(ON_WHATSAPP) in ([BACK], [ANSWER, BACK])
    assert await shop.world.dispositions() == ["answered"] * 3
