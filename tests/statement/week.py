"""A week of two organizations with an account each, in which everything happens that a statement must not stumble over."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

import msgspec

from appliance.model import HOUR, MAIN, MINUTE, SECOND, JobKind
from appliance.simulator import Fault
from appliance.simulator.lag import each_its_own
from tests.privacy.scene import forget
from tests.statement.scene import compared, pass_
from tests.support.accounts import BRANCH, NUMBERS, SECOND_SMS, Accounts
from tests.support.world import SMS, WHATSAPP

DAYS = 7
OURS = NUMBERS[BRANCH][0]
BEHIND = 100.0  # seconds that the list may be, each message by its own
CUSTOMERS = [f"+5511977770{number:03}" for number in range(12)]
LEAVER, SLEEPER = "+5511966660001", "+5511966660002"  # who is forgotten, who wants no messages
Event = Callable[["Week"], Any]


@dataclass
class Week:
    """`planted`: by hour, what else happens. Twilio's list is as late and as unordered as it may be."""

    world: Accounts
    planted: Mapping[int, Event]
    seed: int = 15

    def __post_init__(self) -> None:
        self.dice = Random(self.seed)  # a die, not a secret
        for twilio in self.world.at.values():
            twilio.now = twilio.delivery._now = self.world.clock.true
            twilio.undated, twilio.lag = "first", each_its_own(BEHIND, self.seed)

    async def live(self) -> None:
        """Every other hour something happens; most are compared, and so are the hours after the last midnight."""
        for hour in range(0, DAYS * 24, 2):
            await self._hour(hour)
            if event := self.planted.get(hour):
                await event(self)
            await pass_(self.world, 2 * HOUR - 10 * MINUTE)
            if hour % 3:
                await compared(self.world)
        for _ in range(6):
            await compared(self.world, HOUR)

    async def _hour(self, hour: int) -> None:
        await self._talk(hour)
        for at, happens in ((10, self._outage), (28, self._crash), (46, self._leave), (70, self._crash)):
            if hour == at:
                await happens()
        if hour in (34, 36, 38, 40):
            await self.world.twilio.receive(SLEEPER, SMS, ("STOP", "Oi?", "START", "HELP")[(hour - 34) // 2])
            await self.world.settle()

    async def _talk(self, hour: int) -> None:
        """Somebody writes, by whichever way, and something goes wrong with the answer."""
        dice, world = self.dice, self.world
        faults = [None, None, None, Fault("create", "reset", accepted=True), Fault("create", "reset"),
                  Fault("delivery", "failed", code=30005), Fault("delivery", "undelivered", code=30003),
                  Fault("delivery", "stuck"), Fault("callback", "lost"), Fault("callback", "out_of_order"),
                  Fault("create", "error", status=400, code=21211)]  # fmt: skip
        account, to = dice.choice([(MAIN, SMS), (MAIN, WHATSAPP), (MAIN, SECOND_SMS), (BRANCH, OURS)])
        sender = dice.choice(CUSTOMERS)
        if fault := dice.choice(faults):
            world.at[account].faults.add(fault)
            if fault.accepted:  # and its callbacks are lost: the log alone tells what became of it
                world.at[account].faults.add(Fault("callback", "lost"))
        sender = f"whatsapp:{sender}" if to == WHATSAPP else sender
        await world.write(account, sender, to, f"Pergunta {hour}?", deliver=dice.random() > 0.2)
        if hour in (20, 44):
            await world.write(MAIN, LEAVER, SMS, f"Sou eu, {hour}")
        await world.settle()
        await pass_(world, MINUTE)

    async def _outage(self) -> None:
        """No way to Twilio for an hour, in which somebody writes."""
        await self.world.twilio_line.cut()
        await self.world.write(MAIN, CUSTOMERS[0], SMS, "Ninguém aí?", deliver=False)
        await pass_(self.world, HOUR)
        await self.world.appliance.engine.schedule.tick(JobKind.STATEMENT)
        await self.world.settle()
        await self.world.twilio_line.mend()

    async def _crash(self) -> None:
        await self.world.write(MAIN, CUSTOMERS[1], SMS, "E agora?", deliver=False)
        await self.world.crash()
        await pass_off(self.world, 40 * MINUTE)
        await self.world.start()
        await self.world.settle()

    async def _leave(self) -> None:
        await forget(self.world, LEAVER, at_twilio=True)
        await self.world.settle()

    def one(self, account: str, direction: str) -> str:
        """The newest finished message of an account in a direction."""
        found = [each for each in self.world.at[account].ledger if each.direction == direction and each.finished]
        return found[-1].sid

    def vanish(self, account: str, sid: str) -> None:
        """Somebody deletes it at Twilio."""
        ledger = self.world.at[account].ledger
        entry = ledger.get(sid)
        assert entry is not None
        ledger.erase(msgspec.structs.replace(entry, deleted=True, sender="", recipient="", body=""))


async def pass_off(world: Accounts, time: int) -> None:
    """While the box is off."""

    async def nobody() -> None: ...

    await world.clock.advance(time / SECOND, nobody)
