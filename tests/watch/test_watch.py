"""Each state that the watch tells of opens its card when it begins and closes it when it is over, and nobody else does."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.links import link
from appliance.model import HOUR, MAIN, JobKind
from appliance.simulator import Fault
from appliance.store.box import Fact
from appliance.watch import conditions
from tests.support.api_client import api_of
from tests.support.fake_ai import FakeAi, echo
from tests.support.world import ACCOUNT, LACKS, TOKEN, ManualClock, World

SOON = 90  # seconds within which trouble is told, and its end
WRONG_KEY = (401, {"error": {"message": "Invalid API key", "type": "invalid_request_error"}})


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


async def open_now(world: World, *kinds: str) -> list[str]:
    """Which of these kinds have an open card."""
    rows = await world.rows("SELECT kind FROM cards WHERE closed_at IS NULL ORDER BY id")
    return [row["kind"] for row in rows if row["kind"] in kinds]


async def words_of(world: World, kind: str) -> dict[str, Any]:
    """Its only open card, as the API has it."""
    async with api_of(world) as api:
        (card,) = [each for each in (await api.get("cards"))["cards"] if each["kind"] == kind]
    return dict(card)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, clock=ManualClock(), language="en") as running:
        yield running


async def test_a_cut_line_is_told_soon_and_so_is_its_end(world: World) -> None:
    """The connection is refused while a customer waits: one card with the cause and who waits, until Twilio answers."""
    await pass_(world, 30)
    await world.twilio_line.cut()
    await world.say("Oi")
    await pass_(world, SOON)
    card = await words_of(world, "unreachable")
    assert await world.cards() == ["unreachable"]
    assert card["subject"] == "account"
    assert "the connection was refused (127.0.0.1:" in card["text"]
    assert card["text"].endswith("1 customer waits for an answer.")

    await world.twilio_line.mend()
    await pass_(world, SOON)

    assert await world.cards() == []
    assert len(world.sent()) == 1


async def test_a_link_that_stumbles_is_no_card(world: World) -> None:
    """One call breaks off, the next one is answered: nobody is told."""
    world.twilio.faults.add(Fault("list", "error", times=1))
    await world.appliance.store.write(lambda tx: tx.jobs.tick(JobKind.CATCH_UP))
    world.appliance.engine.bell.ring()
    await pass_(world, SOON)

    assert await world.column("SELECT count(*) FROM cards WHERE kind = 'unreachable'") == [0]
    assert world.appliance.engine.adapters.links.get(link.of_account(MAIN)).trouble is None


async def test_errors_of_twilios_own_are_a_link_in_trouble(world: World) -> None:
    """Every read is answered with 500: the card says so, and is the only one."""
    world.twilio.faults.add(Fault("list", "error", times=None))
    await world.appliance.store.write(lambda tx: tx.jobs.tick(JobKind.CATCH_UP))
    world.appliance.engine.bell.ring()
    await pass_(world, SOON)

    assert await world.cards() == ["unreachable"]
    assert "it answers with an error of its own (HTTP 500)" in (await words_of(world, "unreachable"))["text"]


async def test_refused_credentials_are_told_at_once(world: World) -> None:
    """The token is revoked: a card of its own kind, until it counts again; it is found without a customer too."""
    await pass_(world, 30)
    world.twilio.revoked = True
    await world.say("Oi")
    await pass_(world, 15)
    card = await words_of(world, "credentials")
    assert card["subject"] == "account"
    assert card["text"].endswith("1 customer waits for an answer.")
    assert await open_now(world, "unreachable", "twilio") == []

    world.twilio.revoked = False
    await pass_(world, SOON)

    assert await world.cards() == []
    assert len(world.sent()) == 1


async def test_a_revoked_token_is_found_at_a_start(tmp_path: Path) -> None:
    """Nobody writes: the watch asks what nobody has asked yet."""
    world = World(tmp_path, clock=ManualClock())
    world.twilio.revoked = True
    async with world:
        await pass_(world, 30)

        assert await world.cards() == ["credentials"]


async def test_a_name_that_is_not_found_is_named(tmp_path: Path) -> None:
    """No name server knows it: the card has the name, and a start with it is a start."""
    there = {"account_sid": ACCOUNT, "auth_tokens": (TOKEN,), "api_url": "http://twilio.invalid"}
    async with World(tmp_path, clock=ManualClock(), twilio=there) as world:
        await pass_(world, SOON)

        assert await world.cards() == ["unreachable"]
        assert "the name was not found (twilio.invalid)" in (await words_of(world, "unreachable"))["text"]


@pytest.mark.parametrize("trouble", ["unreachable", "credentials"])
async def test_a_card_of_a_link_outlives_a_restart(world: World, trouble: str) -> None:
    """The new process knows nothing of the link: what was told is neither taken back nor told anew."""
    if trouble == "credentials":
        world.twilio.revoked = True
    else:
        await world.twilio_line.cut()
    await world.say("Oi")
    await pass_(world, SOON)
    before = await world.rows("SELECT id, kind FROM cards WHERE kind IN ('unreachable', 'credentials')")
    assert [row["kind"] for row in before] == [trouble]
    await world.stop()
    await world.start()
    await pass_(world, SOON)

    told = "SELECT id, kind FROM cards WHERE kind IN ('unreachable', 'credentials')"
    assert await world.rows(f"{told} AND closed_at IS NULL") == await world.rows(told) == before


async def test_what_the_box_lacks_outlives_a_restart(world: World) -> None:
    """The minute in which a new box is left alone takes back nothing that was told before."""
    await pass_(world, SOON)
    told = "SELECT id, kind FROM cards WHERE kind IN ('nothing_yet', 'no_knowledge') ORDER BY id"
    before = await world.rows(told)
    assert {row["kind"] for row in before} == {"nothing_yet", "no_knowledge"}
    await world.stop()
    await world.start()
    await pass_(world, SOON)

    assert await world.rows(told) == before
    assert await open_now(world, *LACKS) == [row["kind"] for row in before]


async def test_a_box_without_an_organization_says_so(tmp_path: Path) -> None:
    """After a minute, and until one is registered."""
    async with World(tmp_path, clock=ManualClock(), registers=False) as world:
        await pass_(world, 45)
        assert await open_now(world, *LACKS) == []
        await pass_(world, 30)
        assert await open_now(world, *LACKS) == ["no_organization"]

        await world.register()
        await pass_(world, 15)

        assert await open_now(world, "no_organization") == []


async def test_an_organization_that_taught_nothing(world: World) -> None:
    """The offline assistant needs a topic; the card is the organization's, and goes with the first one."""
    await pass_(world, SOON)
    card = await words_of(world, "no_knowledge")
    assert (card["organization_id"], card["title"]) == (1, "Padaria Aurora has taught nothing yet")

    await world.teach("Hours", "From 7 to 19.")
    await pass_(world, 15)

    assert await open_now(world, "no_knowledge") == []


async def test_a_model_needs_no_topic(tmp_path: Path) -> None:
    """Who is asked is a model: nothing is missing."""
    async with World(tmp_path, clock=ManualClock(), model=FakeAi()) as world:
        await pass_(world, SOON)

        assert await open_now(world, "no_knowledge") == []


async def test_nothing_has_come_in_yet(world: World) -> None:
    """Until the first message."""
    await pass_(world, SOON)
    assert await open_now(world, "nothing_yet") == ["nothing_yet"]

    await world.say("Oi")
    await pass_(world, 15)

    assert await open_now(world, "nothing_yet") == []


async def test_no_backup_for_a_day_and_a_half(world: World) -> None:
    """One is due every day; the card goes with the next one."""
    await world.say("Oi")
    await pass_(world, 60)
    now = world.appliance.clock.now()
    await world.appliance.store.write(lambda tx: tx.box.put(Fact.BACKUP_AT, now - 37 * HOUR))
    await pass_(world, 15)
    assert await open_now(world, "no_backup") == ["no_backup"]

    await world.appliance.store.write(lambda tx: tx.jobs.tick(JobKind.BACKUP))
    world.appliance.engine.bell.ring()
    await pass_(world, 15)

    assert await open_now(world, "no_backup") == []


async def test_a_disk_that_is_nearly_full(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """More is needed than this disk has: told with both numbers, until there is room again."""
    monkeypatch.setattr(conditions, "SPARE", 1 << 60)
    await pass_(world, 15)
    card = await words_of(world, "disk")
    assert f"{(1 << 60) // conditions.MB} MB are needed" in card["text"]

    monkeypatch.undo()
    await pass_(world, 15)

    assert await open_now(world, "disk") == []


async def test_who_was_apologised_to_is_not_forgotten(tmp_path: Path) -> None:
    """One card for all while the provider answers nobody; when it does again, one that counts who has no answer yet,
    until their dead letters are settled. The provider is asked although nobody writes.
    """
    model = FakeAi()
    async with World(tmp_path, clock=ManualClock(), model=model, language="en") as world, api_of(world) as api:
        model.answer = lambda _: WRONG_KEY
        for number in range(3):
            await world.say("Oi", f"+551199000000{number}")
            await world.settle()
        await pass_(world, SOON)
        assert await world.cards() == ["ai"]
        assert (await words_of(world, "ai"))["times"] == 3

        model.answer = echo
        await pass_(world, SOON)
        assert await world.cards() == ["unanswered"]
        assert (await words_of(world, "unanswered"))["text"].startswith("They were told that their message has arrived")

        assert len((await api.post("dead-letters/retry"))[1]["retried"]) == 3
        await pass_(world, 30)

        assert await world.cards() == []
        assert await world.dispositions() == ["answered"] * 3


async def test_a_look_that_fails_ends_nothing(world: World) -> None:
    """A read of the store takes too long: the next look is another one, and the process goes on."""
    await world.say("Oi")
    await world.settle()
    await world.appliance.store.write(
        lambda tx: tx.sql.run(
            "INSERT INTO cards (kind, subject, text, facts, opened_at, last_at) VALUES ('disk', 'box', '', '{', 1, 1)"
        )
    )
    await pass_(world, 30)
    assert not world.appliance.stopping.is_set()
    await world.appliance.store.write(lambda tx: tx.sql.run("DELETE FROM cards WHERE facts = '{'"))
    world.twilio.revoked = True
    await world.say("Oi", "+5511990000002")
    await pass_(world, 30)

    assert await world.cards() == ["credentials"]
