"""An account at Twilio: what its login opens, a trial, a clock that is wrong."""

import time

import pytest

from appliance.simulator import SANDBOX
from tests.diagnosis.scene import Checks
from tests.support.world import TOKEN, World

SECONDS = 1_000
OLD = "old-token-0123456789abcdef0123456"
KEY, SECRET = "SK" + "0" * 32, "secret-0123456789abcdef"


async def test_a_login_that_twilio_refuses(checks: Checks, world: World) -> None:
    """One finding, and nothing more is asked of that account."""
    world.twilio.revoked = True
    refused = await checks.bad()
    world.twilio.revoked = False

    assert (refused, await checks.bad()) == (["login_refused"], [])


async def test_a_token_that_is_no_longer_one(checks: Checks) -> None:
    """It is said which, and that is no fault: another one works."""
    checks.write(auth_tokens=f'["{OLD}", "{TOKEN}"]')
    found = await checks.one("token_stale")

    assert (found["ok"], found["values"]["number"]) == (None, 1)
    assert OLD not in str(found)


@pytest.mark.parametrize("known", [True, False])
async def test_an_api_key(checks: Checks, world: World, known: bool) -> None:
    """It opens all but the account itself, which the token shows; a wrong one is a fault although the token works."""
    if known:
        world.twilio._credentials.append((KEY, SECRET))
    checks.write(auth_tokens=f'["{TOKEN}"]\napi_key_sid = "{KEY}"\napi_key_secret = "{SECRET}"')
    told = {each["kind"]: each["ok"] for each in await checks.told("--online")}

    assert told["full"] is True
    assert told.get("key_refused", True) is known


async def test_a_trial(checks: Checks, world: World) -> None:
    """Is a fault where customers write to a number; for the sandbox it is enough."""
    world.twilio.settings.kind = "Trial"
    with_numbers = await checks.bad()
    for channel in await world.column("SELECT id FROM channels"):
        await world.appliance.store.write(lambda tx, gone=channel: tx.channels.remove(gone))  # type: ignore[misc]
    await world.appliance.store.write(lambda tx: tx.channels.insert(1, SANDBOX))
    with_sandbox = {each["kind"]: each["ok"] for each in await checks.told("--online")}
    world.twilio.settings.kind = "Full"

    assert with_numbers == ["trial"]
    assert (with_sandbox["trial_sandbox"], with_sandbox["sandbox"]) == (None, None)
    assert "trial_sandbox" not in {each["kind"] for each in await checks.told("--online")}


async def test_a_suspended_account(checks: Checks, world: World) -> None:
    """Whatever else is set, nothing goes in or out."""
    world.twilio.settings.state = "suspended"
    found = await checks.bad()
    world.twilio.settings.state = "active"

    assert (found, await checks.bad()) == (["suspended"], [])


@pytest.mark.parametrize(
    ("ahead", "kinds"), [(0, []), (-240, []), (240, []), (400, ["clock_behind"]), (-400, ["clock_ahead"])]
)
async def test_a_clock_that_is_wrong(checks: Checks, world: World, ahead: int, kinds: list[str]) -> None:
    """By more than five minutes against the Date of Twilio's answers. `ahead`: Twilio's, seconds."""
    world.twilio.now = lambda: int((time.time() + ahead) * SECONDS)

    assert await checks.bad() == kinds


async def test_twilio_that_is_not_there(checks: Checks, world: World) -> None:
    """The line is cut: said once, with no address in it."""
    await world.twilio_line.cut()
    found = await checks.one("unreachable")
    await world.twilio_line.mend()

    assert found["what"] == "Twilio could not be asked: ClientConnectorError."
    assert await checks.bad() == []
