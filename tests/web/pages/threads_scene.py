"""A bakery's day as the pages of conversations show it: one customer for each state."""

from appliance.model import MINUTE
from appliance.simulator import Fault
from appliance.wire import Media
from tests.support.world import SMS, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000
RAFAEL, JOAO = "whatsapp:+5511955550132", "whatsapp:+5511955550133"
NEIDE, ANA, LIVIA = "whatsapp:+5511955550134", "whatsapp:+5511955550135", "whatsapp:+5511955550136"
OSVALDO = "+5511955550147"
TOPICS = {
    "Horário": "Abrimos das 7h às 19h, de segunda a sábado. Domingo das 7 às 13 horas.",
    "Entrega": "Entregamos na Vila Nova, de segunda a sábado das 8 às 18 horas. Taxa de R$ 8,00; grátis acima de R$ 80,00.",
    "Formas de pagamento": "Aceitamos dinheiro, cartão de débito e de crédito, vale-refeição e Pix. Não parcelamos.",
    "Endereço": "O endereço é Rua das Acácias, 120, no Centro.",
}


async def say(world: World, who: str, name: str, body: str, *media: Media, **more: str) -> str:
    """A customer writes, and everything happens that follows from it at once."""
    to = WHATSAPP if who.startswith("whatsapp:") else SMS
    told = {"ProfileName": name} if name else {}
    sid = await world.say(body, who, to, media=media, extra=told | more)
    await minutes(world, 0.1)
    return sid


async def minutes(world: World, count: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(count * MINUTE / 1_000, world.settle)


async def teach(world: World) -> None:
    for title, body in TOPICS.items():
        await world.teach(title, body)


async def unsure(world: World) -> None:
    """Nobody knows whether Rafael got the last answer; he wrote again."""
    await say(world, RAFAEL, "Rafael Souza", "Oi, bom dia! Qual o horário?")
    await say(world, RAFAEL, "Rafael Souza", "Obrigado 🙏")
    await say(world, RAFAEL, "Rafael Souza", "Qual o endereço?", Media("", "image/jpeg"))
    world.twilio.faults.add(Fault("create", "error", status=500), Fault("list", "lag", seconds=600, times=None))
    await say(world, RAFAEL, "Rafael Souza", "Vocês fazem entrega na Vila Nova?")
    await say(world, RAFAEL, "Rafael Souza", "alô?")


async def asked(world: World) -> None:
    """João asked for a person and sent a voice note since."""
    await say(world, JOAO, "João Pedro Lima", "Quais as formas de pagamento?")
    await say(world, JOAO, "João Pedro Lima", "queria falar com uma pessoa")
    await say(world, JOAO, "João Pedro Lima", "", Media("", "audio/ogg"))


async def undelivered(world: World) -> None:
    """The phone of Seu Osvaldo was off."""
    world.twilio.faults.add(Fault("delivery", "undelivered", code=30003, address=OSVALDO))
    await say(world, OSVALDO, "", "Qual o horário?")


async def left(world: World) -> None:
    """Ana wants no more messages."""
    await say(world, ANA, "Ana Paula Martins", "Quanto custa a entrega?")
    await say(world, ANA, "Ana Paula Martins", "SAIR")


async def burst(world: World) -> None:
    """Lívia writes in pieces, with three files."""
    await say(world, LIVIA, "Lívia Andrade", "Qual o endereço?")
    files = (Media("", "image/jpeg"), Media("", "application/pdf"), Media("", "video/mp4"))
    await say(world, LIVIA, "Lívia Andrade", "", *files)
