"""Whoever has a page open is told whose things a batch changed, and no unit of work notices."""

from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx, cards
from appliance.store.cards import CardKind
from appliance.store.stir import BOX
from tests.support.world import World

OTHERS = Registration("Florista", ["+551140000009"], "f@example.com")


async def test_each_batch_tells_whose_it_changed(world: World) -> None:
    """Also where a unit opens again what is open, by an upsert; a unit that failed changed nothing."""
    store, heard = world.appliance.store, list[frozenset[int]]()
    await store.write(lambda tx: register_organization(tx, OTHERS))

    def note(tx: Tx) -> None:
        for _ in range(3):
            tx.cards.open(CardKind.WAITING, cards.conversation(1), 2, who="", why="wrote again")
            tx.knowledge.put(2, "Horário", "Das 8 às 18 horas.")

    def fail(tx: Tx) -> None:
        tx.knowledge.put(1, "Horário", "Das 7 às 19 horas.")
        raise ValueError

    await store.listen(heard.append)
    try:
        await store.write(note)
        assert heard.pop() == {2}
        try:
            await store.write(fail)
        except ValueError:
            assert heard.pop() == frozenset()
        await store.write(lambda tx: tx.cards.open(CardKind.BACKUP, cards.BOX, said=""))
        assert heard.pop() == {BOX}
    finally:
        await store.leave(heard.append)


async def test_the_journey_is_the_same_with_a_page_open(world: World) -> None:
    """Every unit of work of messages, hand-overs and cards, with somebody listening."""
    heard: set[int] = set()
    await world.appliance.store.listen(heard.update)
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    for words in ("Qual o horário?", "Vocês vendem pneus?", "E pneus de neve?", "quero falar com uma pessoa", "oi?"):
        await world.say(words)
        await world.settle()

    assert await world.dispositions() == ["answered", "answered", "answered", "answered", "suppressed"]
    assert 1 in heard
