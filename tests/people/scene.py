"""What the tests of a person with several addresses share: two addresses on WhatsApp, and what Twilio says of them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from multidict import MultiDict

from appliance.people import identity
from appliance.simulator import Fault
from appliance.store.links import BY_HAND
from tests.support.world import CUSTOMER, WHATSAPP, ManualClock, World

NUMBER = f"whatsapp:{CUSTOMER}"
SHORT = "whatsapp:+551188887777"  # the same number without its ninth digit
USER_ID = "whatsapp:BR.13491208655302741918"
OTHER_ID = "whatsapp:BR.20000000000000000001"
NOON = 1_800_025_200_000
QUESTION, ANSWER = "Qual o horário?", "Abrimos das 7h às 19h."
WHERE, THERE = "Vocês fazem entrega?", "Entregamos no centro."
TOLD = {"ExternalUserId": USER_ID.removeprefix("whatsapp:")}


async def say(world: World, body: str, sender: str = NUMBER, **extra: str) -> str:
    """The customer writes on WhatsApp, by this address; `extra` is added to the webhook."""
    sid = await world.say(body, sender, WHATSAPP, extra=extra)
    await world.settle()
    return sid


async def join(world: World, one: str = NUMBER, other: str = USER_ID) -> None:
    """The owner says that two addresses are one person; whoever has not written yet is made."""

    def unit(tx: Any) -> None:
        channel = tx.channels.at("main", WHATSAPP)
        first, second = (identity.meet(tx, channel.id, address) for address in (one, other))
        assert identity.join(tx, first.id, second.id, BY_HAND)

    await world.appliance.store.write(unit)


async def people(world: World) -> list[list[str]]:
    """The addresses of each person, oldest contact first."""

    def unit(tx: Any) -> list[list[str]]:
        every = tx.contacts.page_of_the_box()
        persons = sorted({tuple(tx.contacts.person(contact.id)) for contact in every})
        return [[tx.contacts.get(each).address for each in person] for person in persons]

    return await world.appliance.store.read(unit)


async def by_hand(world: World, body: str, to: str) -> str:
    """Somebody writes from our number in Twilio's console; the sid."""
    entry = world.twilio.create(MultiDict({"From": WHATSAPP, "To": to, "Body": body}))
    await world.twilio.delivery.begin(entry)
    await world.twilio.settle()
    return entry.sid


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def in_doubt(world: World, *sends: tuple[str, str, bool]) -> None:
    """Each question, by its address, has an answer of which nobody knows; Twilio took it or did not."""
    for question, address, accepted in sends:
        world.twilio.faults.add(Fault("create", "reset", accepted=accepted))
        await say(world, question, address)
        await pass_(world, 10)  # the account's circuit


@asynccontextmanager
async def shop(directory: Path, **options: Any) -> AsyncIterator[World]:
    """A world at noon whose time is moved by hand and whose Twilio never calls back; two things are known."""
    options = {"twilio": {"catch_up_every": 0}} | options
    async with World(directory, clock=ManualClock(NOON), **options) as world:
        await world.teach("Horário", ANSWER)
        await world.teach("Entrega", THERE)
        world.twilio.faults.add(Fault("callback", "lost", times=None))
        yield world
