"""Opting out and back in, from the webhook to what Twilio is asked to send."""

from pathlib import Path

import pytest

from appliance.model import HOUR, SECOND
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

ON_WHATSAPP = f"whatsapp:{CUSTOMER}"
GONE = "Pronto, você não receberá mais mensagens nossas por aqui. Para voltar, responda VOLTAR."
BACK = "Pronto, voltamos a conversar. Como posso ajudar?"
REMINDER = "Você pediu para não receber mensagens. Para ser atendido, responda VOLTAR."


async def opted_out(world: World) -> bool:
    return (await world.column("SELECT opted_out_at IS NOT NULL FROM contacts")) == [1]


@pytest.mark.parametrize("word", ["SAIR", "parar", " Pare! ", "stop", "BAJA", "Descadastrar"])
async def test_an_opt_out_on_whatsapp_is_confirmed_once(world: World, word: str) -> None:
    """Nothing is automatic there: recorded with its proof, confirmed; the same word again gets nothing."""
    sid = await world.say(word, ON_WHATSAPP, WHATSAPP)
    await world.settle()
    await world.say(word, ON_WHATSAPP, WHATSAPP)
    await world.settle()

    assert world.sent(ON_WHATSAPP) == [GONE]
    assert await world.column("SELECT opted_out_sid FROM contacts") == [sid]


async def test_who_opted_out_is_reminded_once_a_day(tmp_path: Path) -> None:
    """A question after SAIR: the reminder once per 24 hours with a card, never the answer."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world:
        for wait in (0, 1, 1, 24):
            clock.jump(wait * HOUR / SECOND)
            await world.say("SAIR" if wait == 0 else "Qual o horário?", ON_WHATSAPP, WHATSAPP)
            await world.settle()

        assert world.sent(ON_WHATSAPP) == [GONE, REMINDER, REMINDER]
        assert await world.cards() == ["opted_out"]
        assert await opted_out(world)


async def test_coming_back_is_said_and_then_answered(world: World) -> None:
    """VOLTAR ends the silence at once."""
    for text in ("SAIR", "VOLTAR", "ATENDENTE"):
        await world.say(text, ON_WHATSAPP, WHATSAPP)
        await world.settle()

    assert world.sent(ON_WHATSAPP)[:2] == [GONE, BACK]
    assert len(world.sent(ON_WHATSAPP)) == 3
    assert not await opted_out(world)


@pytest.mark.parametrize("word", ["STOP", "cancel", "Quit "])
async def test_twilio_answers_its_own_words_on_sms(world: World, word: str) -> None:
    """The webhook still comes: recorded, not answered by us; START brings the customer back."""
    await world.say(word)
    await world.settle()
    assert world.sent() == []
    assert await opted_out(world)

    await world.say("START")
    await world.say("Oi")
    await world.settle()
    assert len(world.sent()) == 1
    assert not await opted_out(world)


async def test_our_own_words_on_sms_are_confirmed(world: World) -> None:
    """SAIR is none of Twilio's words."""
    await world.say("SAIR")
    await world.settle()
    assert world.sent() == [GONE]
    assert await opted_out(world)


@pytest.mark.parametrize("body", ["cancelar", "quero cancelar meu pedido", "END", "não pare", "YES"])
async def test_ordinary_words_on_whatsapp_opt_nobody_out(world: World, body: str) -> None:
    """Only the whole message counts, and there only our own list."""
    await world.say(body, ON_WHATSAPP, WHATSAPP)
    await world.settle()
    assert not await opted_out(world)
    assert len(world.sent(ON_WHATSAPP)) == 1


@pytest.mark.parametrize(("kind", "out"), [("STOP", True), ("HELP", False)])
async def test_advanced_opt_out_is_trusted(world: World, kind: str, out: bool) -> None:
    """`OptOutType` says what Twilio recognised and answered, whatever the words were."""
    await world.say("adiós", ON_WHATSAPP, WHATSAPP, extra={"OptOutType": kind})
    await world.settle()
    assert world.sent(ON_WHATSAPP) == []
    assert await opted_out(world) is out


async def test_an_opt_out_in_a_burst_ends_the_burst(tmp_path: Path) -> None:
    """A question and SAIR within the debounce: one text, the confirmation."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, conversations={"reply_delay": 3_000, "reply_delay_max": 12_000}) as world:
        await world.say("Qual o horário?", ON_WHATSAPP, WHATSAPP)
        await world.say("SAIR", ON_WHATSAPP, WHATSAPP)
        await clock.advance(5, world.settle)

        assert world.sent(ON_WHATSAPP) == [GONE]
        assert "live" not in await world.dispositions()


async def test_consent_is_per_channel(world: World) -> None:
    """Out on WhatsApp is not out on SMS: the scope is the pair."""
    await world.say("SAIR", ON_WHATSAPP, WHATSAPP)
    await world.say("Oi", CUSTOMER, SMS)
    await world.settle()
    assert len(world.sent()) == 1
