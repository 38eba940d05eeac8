"""A world whose responder fails until it is told to work: the dead letters that operators deal with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from appliance.ports import Dialogue, Permanent, Reply, ResponderError
from tests.support.api_client import ApiClient, api_of
from tests.support.world import CUSTOMER, SMS, ManualClock, World

APOLOGY = "Desculpe, estou indisponível no momento. Sua mensagem foi recebida."
ANSWERED = "Respondido: Oi"


class Moody:
    """A responder that fails until it is told to work."""

    def __init__(self, *, works: bool = False, fault: ResponderError | None = None) -> None:
        self.works = works
        self.fault = fault or Permanent("wrong key")

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        if not self.works:
            raise self.fault
        return Reply("test", f"Respondido: {' | '.join(dialogue.questions)}")

    async def close(self) -> None:
        """Nothing is held."""


class Shop(World):
    """A world whose responder has failed one customer on SMS or WhatsApp: dead letter 1."""

    moody: Moody
    api: ApiClient

    async def fail(self, sender: str = CUSTOMER, to: str = SMS) -> None:
        self.moody.works = False
        await self.twilio.receive(sender, to, "Oi")
        await self.settle()
        self.moody.works = True

    async def retry(self, letter: int) -> str:
        """What was answered: "ok" or the code of the refusal."""
        status, answer = await self.api.post(f"dead-letters/{letter}/retry")
        await self.settle()
        assert status in (200, 409), answer
        return "ok" if status == 200 else answer["error"]["code"]

    async def letters(self) -> list[int]:
        return [letter["id"] for letter in (await self.api.get("dead-letters"))["dead_letters"]]

    async def verified(self) -> list[str]:
        problems: list[str] = (await self.api.get("verify"))["problems"]
        return problems


@asynccontextmanager
async def open_shop(directory: Path) -> AsyncIterator[Shop]:
    moody = Moody()
    async with Shop(directory, clock=ManualClock(), responder=moody) as world, api_of(world) as api:
        world.moody, world.api = moody, api
        yield world
