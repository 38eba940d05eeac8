"""Messages that Twilio's log has and no webhook brought: told, unless it was no fault of the way in; taken back."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.model import MAIN, JobKind
from tests.support.accounts import BRANCH, NUMBERS, Accounts

SENDER = "+5511988887770"
YOUNG = 40  # seconds in which catch-up leaves a message to its webhook, and more


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Accounts]:
    async with Accounts(tmp_path) as world:
        await world.pass_(YOUNG)
        yield world


async def look(world: Accounts) -> None:
    """Into Twilio's log, once what is there is no webhook's own any more."""
    await world.pass_(YOUNG)
    await world.appliance.engine.schedule.tick(JobKind.CATCH_UP)
    await world.pass_(1)


async def unheard(world: Accounts) -> set[str]:
    return {subject for kind, subject in await world.opened() if kind == "unheard"}


async def test_what_no_webhook_brought_is_told_until_one_does(world: Accounts) -> None:
    """One card however many, of the account alone whose messages they are; the message is answered all the same."""
    for number in range(3):
        await world.write(BRANCH, f"+551198888777{number}", NUMBERS[BRANCH][0], "Oi", deliver=False)
    await look(world)
    assert await unheard(world) == {f"account:{BRANCH}"}
    assert len(world.answers(BRANCH)) == 3

    await world.write(MAIN, SENDER, NUMBERS[MAIN][0], "Oi")
    await world.pass_(1)
    assert await unheard(world) == {f"account:{BRANCH}"}
    await world.write(BRANCH, SENDER, NUMBERS[BRANCH][0], "Oi")
    await world.pass_(1)
    assert await unheard(world) == set()


async def test_what_came_while_the_box_was_off_proves_nothing(world: Accounts) -> None:
    """No webhook could have brought it."""
    await world.stop()
    await world.write(BRANCH, SENDER, NUMBERS[BRANCH][0], "Oi", deliver=False)
    world.clock.jump(YOUNG)
    await world.start()
    await look(world)

    assert len(world.answers(BRANCH)) == 1
    assert await unheard(world) == set()


async def test_what_got_a_503_did_reach_the_box(world: Accounts) -> None:
    """It is the disk that is in trouble, and that has a card of its own."""
    world.appliance.not_stored()
    await world.write(BRANCH, SENDER, NUMBERS[BRANCH][0], "Oi", deliver=False)
    await look(world)

    assert len(world.answers(BRANCH)) == 1
    assert await unheard(world) == set()


async def test_each_accounts_card_outlives_a_restart_until_its_own_webhook(world: Accounts) -> None:
    """The new process knows nothing of what was told; a webhook of one account says nothing of the other's."""
    for name in (MAIN, BRANCH):
        await world.write(name, SENDER, NUMBERS[name][0], "Oi", deliver=False)
    await look(world)
    assert await unheard(world) == {"account", f"account:{BRANCH}"}
    await world.stop()
    await world.start()

    await world.write(MAIN, SENDER, NUMBERS[MAIN][0], "De novo")
    await world.pass_(1)
    assert await unheard(world) == {f"account:{BRANCH}"}
    await world.write(BRANCH, SENDER, NUMBERS[BRANCH][0], "De novo")
    await world.pass_(1)
    assert await unheard(world) == set()
