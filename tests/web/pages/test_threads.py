"""The pages of conversations: who wrote, what was said, where it came from and whether it arrived."""

from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, World


async def test_a_thread_shows_both_sides(world: World) -> None:
    """What came in and what went out, the topic it came from, and its tick."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await world.say("Qual o horário?")
    await world.settle()
    async with Visitor(world) as visitor:
        listed = await visitor.get("/conversations")
        assert "Abrimos das 7h" in listed and "+55 11 98888-7777" in listed
        shown = await visitor.get("/conversations/1")
    assert "Qual o horário?" in shown and "Abrimos das 7h" in shown
    assert 'href="/topics/1"' in shown and f'href="tel:{CUSTOMER}"' in shown
