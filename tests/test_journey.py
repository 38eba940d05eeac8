"""One message all the way through: webhook, disk, answer, Twilio, delivery."""

from tests.support.world import CUSTOMER, SMS, World


async def test_a_message_is_answered_once_and_its_delivery_followed(world: World) -> None:
    """A question that the knowledge covers gets its topic as the answer, and the ticks arrive."""
    await world.appliance.store.write(
        lambda tx: tx.knowledge.put(1, "Horário", "Abrimos das 7h às 19h, todos os dias.")
    )

    _, status = await world.twilio.receive(CUSTOMER, SMS, "Qual o horário?")
    await world.settle()

    assert status == 200
    assert world.sent() == ["Abrimos das 7h às 19h, todos os dias."]
    assert [row["state"] for row in await world.rows("SELECT state FROM outbox")] == ["delivered"]
    assert [row["disposition"] for row in await world.rows("SELECT disposition FROM dispositions")] == ["answered"]
