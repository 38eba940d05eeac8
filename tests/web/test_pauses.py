"""Pauses by the API: of the box, of an organization, of a conversation; for how long; what is refused."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.model import HOUR, MINUTE
from appliance.operations.organizations import Registration, register_organization
from appliance.simulator import Fault
from tests.support.api_client import api_of, control_of
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, ManualClock, World

NOON = 1_800_025_200_000  # 12:00 in São Paulo
THEIRS = "+551140000009"  # the second organization's channel
FLORA = "+5511977776666"  # who writes there
NUMBER = CUSTOMER.replace("+", "%2B")


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[World]:
    """Two organizations with a customer each, whose first question was answered at noon."""
    async with World(tmp_path, clock=ManualClock(NOON), model=FakeAi()) as world:
        world.twilio.owned = [*world.twilio.owned, THEIRS]
        florist = Registration("Florista", [THEIRS], "f@example.com", timezone="UTC")
        await world.appliance.store.write(lambda tx: register_organization(tx, florist))
        await both_say(world, "oi")
        yield world


async def both_say(world: World, body: str) -> None:
    await world.say(body)
    await world.say(body, FLORA, THEIRS)
    await world.settle()


def said(world: World) -> tuple[int, int]:
    """How many answers each customer has."""
    return len(world.sent()), len(world.sent(FLORA))


@pytest.mark.parametrize(
    ("pause", "resume", "silent"),
    [
        ("pause", "resume", (1, 1)),
        ("pause?organization=1", "resume?organization=Padaria Aurora", (1, 2)),
        ("pause?organization=Florista", "resume?organization=2", (2, 1)),
        (f"conversations/{NUMBER}/pause", "conversations/1/resume", (1, 2)),
        ("conversations/2/pause?organization=2", f"conversations/{FLORA.replace('+', '%2B')}/resume", (2, 1)),
    ],
)
@pytest.mark.parametrize("client", [api_of, control_of])
async def test_each_scope(two: World, client: Any, pause: str, resume: str, silent: tuple[int, int]) -> None:
    """Who is named gets no answer until it is resumed, nobody else is concerned; all are told."""
    async with client(two) as api:
        status, begun = await api.post(pause)
        assert (status, begun["until"], begun["began_at"]) == (200, None, NOON)
        assert begun["by"] == ("api" if client is api_of else "cli")
        (listed,) = (await api.get("pauses"))["pauses"]
        assert listed["subject"] == begun["subject"]
        await both_say(two, "um")
        assert said(two) == silent

        status, answer = await api.post(resume)
        await two.settle()
        assert (status, answer.get("left", []), answer.get("state", "automatic")) == (200, [], "automatic")
        assert said(two) == (2, 2)
        assert (await api.get("pauses"))["pauses"] == []


@pytest.mark.parametrize(
    ("until", "end"),
    [
        ("2h", NOON + 2 * HOUR),
        ("90m", NOON + 90 * MINUTE),
        ("18:00", NOON + 6 * HOUR),
        ("9:30", NOON + 21 * HOUR + 30 * MINUTE),  # that of today is over
        ("tomorrow", NOON + 18 * HOUR),
        (NOON + 1, NOON + 1),
        ("resume", None),
    ],
)
async def test_until_when(two: World, until: str | int, end: int | None) -> None:
    """As long as somebody says, on the clock of the organization; a second pause changes the end of the first."""
    async with api_of(two) as api:
        await api.post("pause?organization=1", {"until": "7d"})
        status, begun = await api.post("pause?organization=1", {"until": until})

    assert (status, begun["until"], begun["began_at"]) == (200, end, NOON)
    assert await two.column("SELECT count(*) FROM pauses") == [1]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("pause", {"until": "soon"}, 400, "bad_until"),
        ("pause", {"until": "25:00"}, 400, "bad_until"),
        ("pause", {"until": 1}, 400, "bad_until"),
        ("pause", {"until": "0"}, 400, "bad_until"),
        ("pause", {"until": "400d"}, 400, "bad_until"),
        ("pause", {"until": 10**30}, 400, "bad_until"),
        ("pause", {"until": NOON * 1_000_000}, 400, "bad_until"),
        ("pause", {"until": None}, 400, "invalid"),
        ("pause", {"for": "2h"}, 400, "invalid"),
        ("pause?organization=99", {}, 404, "unknown_organization"),
        ("conversations/99/pause", {}, 404, "not_found"),
        ("conversations/1/pause?organization=2", {}, 404, "not_found"),
    ],
)
async def test_what_is_refused(two: World, path: str, body: Any, status: int, code: str) -> None:
    """In a sentence, and nothing is paused."""
    async with api_of(two) as api:
        got, answer = await api.post(path, body)

    assert (got, answer["error"]["code"]) == (status, code)
    assert await two.column("SELECT count(*) FROM pauses") == [0]


async def test_what_still_is_paused_is_told(two: World) -> None:
    """One resumes what one names: a conversation that is resumed while its organization is paused goes on waiting."""
    async with api_of(two) as api:
        for path in ("pause", "pause?organization=1", "conversations/1/pause"):
            await api.post(path)
        assert await api.post("conversations/1/resume") == (202, {"id": 1, "state": "paused"})
        _, answer = await api.post("resume")
        assert (answer["ended"], [each["subject"] for each in answer["left"]]) == (1, ["organization:1"])
        _, answer = await api.post("resume?organization=1")
        assert (answer["ended"], answer["left"]) == (1, [])
        _, answer = await api.post("resume")
        assert answer["ended"] == 0


async def test_status_says_it_first(two: World) -> None:
    """Before anything that is wrong, which is said next; who waits is said, and is no trouble: the ages start anew."""
    async with api_of(two) as api:
        await api.post("pause?organization=2", {"until": "3h"})
        await both_say(two, "um")
        status = await api.get("status")
        assert status["verdict"] == {"kind": "paused", "sentence": "Florista: answers are paused until 15:00."}
        assert status["lines"][0] == "1 customer has written during the pause."
        await api.post("pause", {"until": "2h"})
        assert isinstance(two.clock, ManualClock)
        await two.clock.advance(3_600, two.settle)
        await two.say("dois")
        await two.settle()
        status = await api.get("status")
        assert status["verdict"]["sentence"] == "Answers are paused until 14:00."
        assert status["queue"]["oldest_ready_seconds"] == 0
        assert status["waiting"] == {"customers": 2, "oldest_seconds": 0}


@pytest.mark.parametrize("path", ["pause?organization=2", "conversations/2/pause"])
async def test_who_waits_for_nothing_else_is_counted_from_the_end(two: World, path: str) -> None:
    """Twilio takes nothing for a minute: the age is that of the customer who is not paused; of the other from resuming."""
    async with api_of(two) as api:
        await api.post(path)
        two.twilio.faults.add(Fault("create", "error", status=429, code=20429, retry_after=300, times=None))
        await both_say(two, "um")
        assert isinstance(two.clock, ManualClock)
        await two.clock.advance(60, two.settle)
        assert (await api.get("status"))["waiting"] == {"customers": 2, "oldest_seconds": 60}
        await two.appliance.store.write(
            lambda tx: tx.sql.run("UPDATE messages SET suppressed = 'x' WHERE contact_id = 1")
        )
        await two.appliance.store.write(
            lambda tx: tx.sql.run("UPDATE outbox SET state = 'failed' WHERE contact_id = 1")
        )
        assert (await api.get("status"))["waiting"] == {"customers": 1, "oldest_seconds": 0}
        await api.post(path.replace("pause", "resume"))
        await two.clock.advance(5, two.settle)
        assert (await api.get("status"))["waiting"] == {"customers": 1, "oldest_seconds": 5}
