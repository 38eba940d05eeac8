"""The real process, killed before any of the system calls that forgetting costs: the next start finishes it.

LAB_KILLS sets how often; a few of those here, spread over the whole way from the wish to its end.
"""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from appliance.store import backup
from tests.lab.faults.preloaded import CountedBox
from tests.privacy.scene import NAME, WORDS, traces
from tests.support.api_client import ApiClient, socket_of
from tests.support.world import SMS

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc builds the counter of system calls"),
]
PATIENCE = 30.0  # seconds
MOMENT = 0.05  # until somebody knows that a process has died
KILLS = max(int(os.environ.get("LAB_KILLS", "50")) // 2, 25)


class Sweep:
    """One person for each try: answered, then forgotten with Twilio's copies, while the process dies once."""

    def __init__(self, box: CountedBox) -> None:
        self.box = box
        self.persons: list[str] = []
        self.sids: list[str] = []
        self.kills = 0

    @property
    def data(self) -> Path:
        return self.box.directory / "data"

    async def person(self) -> str:
        """Somebody new, who was answered, and the answer was delivered."""
        number = f"+55119{len(self.persons):08}"
        extra = {"ProfileName": NAME, "Strange": WORDS[1]}
        sid, status = await self.box.twilio.receive(number, SMS, f"Qual o horário? {WORDS[0]}", extra=extra)
        assert status == 200
        self.persons.append(number)
        self.sids.append(sid)
        async with asyncio.timeout(PATIENCE), socket_of(self.data) as api:
            while (await api.get("status"))["outbox"]["delivered"] < len(self.persons):
                await asyncio.sleep(0.01)
        return number

    async def undisturbed(self) -> int:
        """How many system calls it costs."""
        number = await self.person()
        self.box.arm(0)
        await self.ask(number)
        await self.until_done()
        return self.box.count

    async def kill_at(self, place: int) -> None:
        number = await self.person()
        self.box.arm(place)
        try:
            await self.ask(number)
            await self.until_done()
        except (OSError, aiohttp.ClientError):
            await self.box.child.wait()  # the connection ended with the process
        self.box.disarm()
        await asyncio.sleep(MOMENT)
        if self.box.child.returncode is None:
            return
        self.kills += 1
        await self.box.start()
        async with asyncio.timeout(PATIENCE):
            while not await self.asked(number):
                await asyncio.sleep(0.01)
        await self.until_done()

    async def asked(self, number: str) -> bool:
        """Once more: of a wish that was not on disk yet nobody was told that it was. False: it does not listen yet."""
        try:
            await self.ask(number)
        except aiohttp.ClientConnectorError:
            return False
        return True

    async def ask(self, number: str) -> None:
        async with socket_of(self.data) as api:
            status, answer = await api.post("contacts/forget", {"address": number, "at_twilio": True})
            assert status in (202, 404), answer

    async def until_done(self) -> None:
        async with socket_of(self.data) as api:
            give_up = asyncio.get_running_loop().time() + PATIENCE
            while not await self.is_done(api):
                await asyncio.sleep(0.01)
                if asyncio.get_running_loop().time() > give_up:
                    [left, *_] = (await api.get("contacts/forgotten"))["forgettings"]
                    raise AssertionError(f"not done: {left}")

    async def is_done(self, api: ApiClient) -> bool:
        found = (await api.get("contacts/forgotten"))["forgettings"]
        return all(each["state"] == "done" for each in found)


async def test_killed_at_any_step_it_is_finished_at_the_next_start(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """No number, name or word is left in any file, Twilio has nothing, each answer was sent once, the counts hold."""
    async with CountedBox(tmp_path) as box:
        box.twilio.delivery.pace = 0.0
        await box.start()
        sweep = Sweep(box)
        calls = await sweep.undisturbed()
        for number in range(KILLS):
            await sweep.kill_at(1 + number * calls // KILLS)
        for person, sid in zip(sweep.persons[:3], sweep.sids[:3], strict=True):  # delivered once more
            assert (await box.twilio.receive(person, SMS, "Qual o horário?", sid=sid))[1] == 200
        assert await box.stop() == 0
        for before in (sweep.data / backup.FOLDER).iterdir():  # which knows the first person, and is listed
            before.unlink()
        backup.keep_one(sweep.data, 1_900_000_000_000)

        sought = [*(number[1:] for number in sweep.persons), NAME, *WORDS, *sweep.sids]
        left = traces(sweep.data, sought)
        answered = dict(box.rows("SELECT disposition, count(*) FROM dispositions GROUP BY 1"))
        record_property("told", f"killed while forgetting: {sweep.kills} times, spread over {calls} system calls")
        assert left == {}
        assert answered == {"answered": len(sweep.persons)}
        assert {box.twilio.posts[number] for number in sweep.persons} == {1}
        assert box.rows("SELECT count(*) FROM contacts WHERE address NOT LIKE 'forgotten:%'") == [(0,)]
        assert sweep.kills >= KILLS * 0.8
        await box.command("verify")
