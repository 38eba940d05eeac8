"""A menu's whole way: offered, answered by its number, refused, lost; what the customer reads on SMS and WhatsApp."""

from pathlib import Path

import pytest

from appliance.model import HOUR
from appliance.simulator import Fault
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World

BINDING, COPIES = "Encadernação", "Cópias e impressões"
QUESTION = "encadernam e imprimem apostila colorida?"
TEXTS = {BINDING: "Espiral ou capa dura.", COPIES: "Preto e branco R$ 0,40.", "Horário": "Das 9h às 18h."}
REFUSED = Fault("create", "error", status=400, code=21617)


async def ask(world: World, body: str, sender: str = CUSTOMER, to: str = SMS) -> str:
    """What the customer is told; "" where nothing is."""
    before = len(world.sent(sender))
    await world.say(body, sender=sender, to=to)
    await world.settle()
    return "\n".join(world.sent(sender)[before:])


async def taught(world: World) -> None:
    for title, body in TEXTS.items():
        await world.teach(title, body)


async def kinds(world: World) -> list[str]:
    return await world.column("SELECT kind FROM outbox ORDER BY id")


@pytest.mark.parametrize(("sender", "to"), [(CUSTOMER, SMS), (f"whatsapp:{CUSTOMER}", WHATSAPP)])
async def test_menu_number_none_of_these_answer(world: World, sender: str, to: str) -> None:
    """The titles one per line; the number answers; "none of these" with a question is that question."""
    await taught(world)

    menu = await ask(world, QUESTION, sender, to)
    chosen = await ask(world, "a 2, por favor", sender, to)
    again = await ask(world, QUESTION, sender, to)
    other = await ask(world, "nenhuma dessas, quero saber o horário", sender, to)

    first, *lines = menu.splitlines()
    assert first == "Não tenho certeza. É sobre um destes? Responda com o número:"
    assert sorted(line[3:] for line in lines) == [COPIES, BINDING]
    assert [line[:3] for line in lines] == ["1) ", "2) "]
    assert chosen == TEXTS[lines[1][3:]]
    assert again == menu
    assert other == TEXTS["Horário"]
    assert await kinds(world) == ["menu", "answer", "menu", "answer"]
    offered = "SELECT json_array_length(options) FROM outbox WHERE kind = 'menu' ORDER BY id"
    assert await world.column(offered) == [2, 2]


async def test_a_number_answers_the_last_menu_that_reached_the_customer(world: World) -> None:
    """One that Twilio refused was never read: the number means the one before."""
    await taught(world)
    await world.teach("Mesa para festas", "Alugamos.")
    await world.teach("Mesa para escritório", "Vendemos.")
    menu = await ask(world, QUESTION)
    world.twilio.faults.add(REFUSED)
    lost = await ask(world, "quanto custa a mesa?")

    answer = await ask(world, "1")

    assert lost == ""
    assert await world.column("SELECT state FROM outbox WHERE kind = 'menu' ORDER BY id") == ["delivered", "failed"]
    assert answer == TEXTS[menu.splitlines()[1][3:]]


async def test_a_menu_that_nobody_got_is_not_answered(world: World) -> None:
    """Refused, it leaves a number as if nothing had been offered."""
    await taught(world)
    world.twilio.faults.add(REFUSED)
    await ask(world, QUESTION)

    assert (await ask(world, "1")).startswith("Não tenho essa informação.")


async def test_a_topic_removed_since_is_not_answered(world: World) -> None:
    """Its number is a question like any other; the other number still answers."""
    await taught(world)
    titles = [line[3:] for line in (await ask(world, QUESTION)).splitlines()[1:]]
    (topic,) = [
        each for each in await world.appliance.store.read(lambda tx: tx.knowledge.of(1)) if each.title == titles[0]
    ]
    await world.appliance.store.write(lambda tx: tx.knowledge.remove(topic.id))

    assert (await ask(world, "1")).startswith("Não tenho essa informação.")
    assert await ask(world, "2") == TEXTS[titles[1]]


async def test_another_conversation_has_no_menu(tmp_path: Path) -> None:
    """A number in a later conversation answers nothing that was offered in an earlier one."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, conversations={"expire_after": HOUR}) as world:
        await taught(world)
        await ask(world, QUESTION)
        await clock.advance(2 * HOUR / 1000, world.settle)

        assert (await ask(world, "1")).startswith("Não tenho essa informação.")


async def test_three_misses_hand_over_and_known_questions_go_on(world: World) -> None:
    """Menus between them do not count and break no row; afterwards a question the FAQ knows is answered, and a menu's
    number too.
    """
    await taught(world)
    await ask(world, "tem piscina?")
    await ask(world, QUESTION)
    await ask(world, "vende peixe?")
    handed = await ask(world, "quem é o presidente?")
    known = await ask(world, "qual o horário?")
    unknown = await ask(world, "tem piscina?")
    menu = await ask(world, QUESTION)
    chosen = await ask(world, "1")

    assert handed.startswith("Registrei seu pedido para a equipe.")
    assert known == TEXTS["Horário"]
    assert unknown == ""
    assert chosen == TEXTS[menu.splitlines()[1][3:]]
    assert await kinds(world) == ["dont_know", "menu", "dont_know", "handoff", "answer", "menu", "answer"]
    assert await world.cards() == ["waiting"]


async def test_the_shelf_is_made_anew_on_a_change_and_only_then(world: World) -> None:
    """It holds between questions; a topic taught, named or removed is found by the next one."""
    await taught(world)
    shelves = world.appliance.engine.shelves
    await ask(world, "qual o horário?")
    held = shelves._held[1][1]
    await ask(world, "tem piscina?")
    assert shelves._held[1][1] is held

    await world.teach("Piscina", "Aquecida.")
    assert await ask(world, "tem piscina?") == "Aquecida."
    assert shelves._held[1][1] is not held

    await world.appliance.store.write(lambda tx: tx.knowledge.put(1, "Piscina", "Aquecida.", ("tanque",)))
    assert await ask(world, "e o tanque?") == "Aquecida."
