"""The webhooks at Twilio, each fault set in the simulated console, found, and repaired with --fix."""

from pathlib import Path

import msgspec
import pytest

from appliance.diagnosis.box import Facts
from appliance.diagnosis.examination import Instruments, repairs
from appliance.diagnosis.webhook import shown
from appliance.simulator import SANDBOX, Fault
from appliance.simulator.settings import WELCOME, Setting
from appliance.wire import RETRIES
from tests.diagnosis.scene import Checks, well
from tests.support.accounts import BRANCH, NUMBERS, SERVICE, Accounts
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World

OURS = "{url}/twilio/messages"
FAULTS = {
    "webhook_elsewhere": Setting(WELCOME),
    "webhook_none": Setting(""),
    "webhook_get": Setting(OURS + RETRIES, method="GET"),
    "webhook_retries": Setting(OURS),
    "webhook_fallback": Setting(OURS + RETRIES, fallback="https://elsewhere.example/fallback"),
    "webhook_application": Setting(OURS + RETRIES, application="AP" + "0" * 32),
}


def break_(world: World, name: str, setting: Setting) -> None:
    url = None if setting.url is None else setting.url.format(url=world.address)
    world.twilio.settings.changed[name] = Setting(url, setting.method, setting.fallback, setting.application)


async def test_a_box_that_is_well(checks: Checks) -> None:
    """Each number and sender leads here; nothing is to do."""
    assert await checks.bad() == []
    assert [each["subject"] for each in await checks.told("--online") if each["kind"] == "webhook"] == [
        f"Webhook {SMS}",
        f"Webhook {WHATSAPP}",
    ]


@pytest.mark.parametrize("address", [SMS, WHATSAPP])
@pytest.mark.parametrize("kind", FAULTS)
async def test_each_fault_is_found_and_repaired(checks: Checks, world: World, kind: str, address: str) -> None:
    """What was set before does not bring messages; what --fix sets does. A WhatsApp sender has no TwiML app."""
    if address == WHATSAPP and kind == "webhook_application":
        return
    break_(world, address, FAULTS[kind])
    found = await checks.one(kind)
    repaired = await checks.bad("--fix", "--yes")
    setting = world.twilio.settings.of(address)

    assert (found["ok"], found["subject"], bool(found["fix"])) == (False, f"Webhook {address}", True)
    assert repaired == []
    assert setting == Setting(f"{world.address}/twilio/messages#rc=3&rp=ct,rt,5xx")
    await world.say("Oi", f"whatsapp:{CUSTOMER}" if address == WHATSAPP else CUSTOMER, address)


@pytest.mark.parametrize(
    ("fragment", "is_well"),
    [
        ("#rc=3&rp=ct,rt,5xx", True),
        ("#rc=2&rp=all&e=saopaulo", True),
        ("#rp=5xx,rt,ct&rc=5", True),
        ("#rc=0&rp=all", False),
        ("#rc=3", False),
        ("#rc=3&rp=ct", False),
        ("#rc=9&rp=all", False),
    ],
)
async def test_any_fragment_that_tries_again_is_well(
    checks: Checks, world: World, fragment: str, is_well: bool
) -> None:
    """Not the very one that we would set."""
    break_(world, SMS, Setting(OURS + fragment))

    assert await checks.bad() == ([] if is_well else ["webhook_retries"])


async def test_a_channel_that_the_account_has_not(checks: Checks, world: World) -> None:
    """A number that is only a part of another one is not that one, and of a sender the state counts too."""
    world.twilio.owned = [SMS + "9", WHATSAPP]
    world.twilio.settings.senders[WHATSAPP] = "OFFLINE"
    without_number = await checks.bad()
    world.twilio.owned = [SMS]
    without_sender = await checks.bad()

    assert without_number == ["number_absent", "sender_offline"]
    assert without_sender == ["sender_absent"]


async def test_what_is_secret_in_a_foreign_url_is_not_shown(checks: Checks, world: World) -> None:
    """Neither in text nor in JSON."""
    break_(world, SMS, Setting("https://user:pass-word@elsewhere.example/hook?token=sesame#rc=1"))

    found = await checks.one("webhook_elsewhere")
    text = (await checks.line("check", "--online")).stdout

    assert found["values"]["called"] == "https://elsewhere.example/hook?…#rc=1"
    assert [word for word in ("sesame", "pass-word") if word in f"{found}{text}"] == []


async def test_many_numbers_are_read_page_by_page(checks: Checks, world: World) -> None:
    """The number stands behind the first page of those that have its digits."""
    world.twilio.owned = [*(f"+1{index:02}{SMS[1:]}"[:16] for index in range(10, 70)), SMS, WHATSAPP]

    assert await checks.bad() == []


async def test_many_services_and_senders_are_read_page_by_page(checks: Checks, world: World) -> None:
    """Their lists name whole addresses of Twilio's, which lead to the configured one."""
    senders = [f"whatsapp:+5521400{index:05}" for index in range(60)]
    world.twilio.owned = [SMS, *senders, WHATSAPP]
    world.twilio.services = {f"MG{index:032}": senders[index : index + 1] for index in range(59)} | {
        "MG" + "f" * 32: [*senders, WHATSAPP]
    }
    found = await checks.one("in_service")

    assert (found["values"]["address"], found["values"]["service"]) == (WHATSAPP, "MG" + "f" * 32)


async def test_a_services_webhook_counts_before_its_numbers(checks: Checks, world: World) -> None:
    """Found and repaired once, whatever its numbers have; where it defers to them theirs count again."""
    world.twilio.services = {SERVICE: [SMS, WHATSAPP]}
    break_(world, SERVICE, Setting(""))
    break_(world, SMS, Setting(WELCOME))
    found = await checks.bad()
    repaired = await checks.bad("--fix", "--yes")
    await world.say("Oi")
    world.twilio.settings.defers.add(SERVICE)
    deferred = await checks.bad()

    assert (found, repaired, deferred) == (["webhook_none"], [], ["webhook_elsewhere"])
    assert world.twilio.settings.of(SERVICE).url == f"{world.address}/twilio/messages{RETRIES}"


async def test_answers_through_a_service(checks: Checks, world: World) -> None:
    """It must be there, and have the channels in its pool."""
    checks.write(account_sid=f'"{world.twilio.account_sid}"\nmessaging_service_sid = "{SERVICE}"')
    absent = await checks.bad()
    world.twilio.services = {SERVICE: [SMS], "MG" + "2" * 32: [WHATSAPP]}
    outside = [each["values"] for each in await checks.told("--online") if each["kind"] == "not_in_service"]
    world.twilio.services = {SERVICE: [SMS, WHATSAPP]}

    assert (absent, await checks.bad()) == (["service_absent"], [])
    assert outside == [{"address": WHATSAPP, "service": SERVICE}]


@pytest.mark.parametrize(("address", "kind"), [(SANDBOX, "sandbox"), ("messenger:1029384756", "unreadable")])
async def test_what_cannot_be_read_is_no_fault(checks: Checks, world: World, address: str, kind: str) -> None:
    """It is said what to set by hand, and --fix leaves it alone."""
    await world.appliance.store.write(lambda tx: tx.channels.insert(1, address))
    found = await checks.one(kind, "--fix", "--yes")

    assert (found["ok"], f"{world.address}/twilio/messages{RETRIES}" in found["fix"]) == (None, True)
    assert await checks.bad() == []
    assert address not in world.twilio.settings.changed


async def test_no_webhook_is_set_that_twilio_could_not_call(world: World) -> None:
    """A private public URL stays off the real Twilio."""
    replace = msgspec.structs.replace
    real = replace(world.config, twilio=replace(world.config.twilio, api_url="https://api.twilio.com"))
    nothing = Instruments({}, None, world.appliance.clock)

    assert await repairs(real, Facts(Path(), [], [(SMS, "main")], {}), nothing) == []


async def test_a_short_code_is_a_number(checks: Checks, world: World, tmp_path: Path) -> None:
    """It is listed elsewhere, and changed there."""
    world.twilio.owned = [SMS, WHATSAPP, "12345", "123456"]
    await world.appliance.store.write(lambda tx: tx.channels.insert(1, "12345"))
    well_set = await checks.bad()
    break_(world, "12345", Setting(WELCOME))

    assert (well_set, await checks.bad(), await checks.bad("--fix", "--yes")) == ([], ["webhook_elsewhere"], [])


async def test_several_accounts(tmp_path: Path) -> None:
    """A revoked one stops no other; the sandbox cannot be told; a subaccount without a login of its own shows numbers
    alone.
    """
    async with Accounts(tmp_path, own_token=False, signed_by_parent=True) as world:
        await well(world)
        checks = Checks(world, tmp_path / "config.toml")
        with checks.path.open("a") as file:
            file.write(f'messaging_service_sid = "{SERVICE}"\n[[twilio.accounts]]\nname = "{BRANCH}"\n')
            file.write(f'account_sid = "{world.at[BRANCH].account_sid}"\nparent = "main"\n')
        await world.appliance.store.write(
            lambda tx: tx.sql.run("UPDATE channels SET account = 'main' WHERE account = 'shut'")
        )
        told = await checks.told("--online")

    kinds = {(each["kind"], each["values"].get("address")) for each in told}
    assert {("sandbox", SANDBOX), ("own_token", NUMBERS[BRANCH][0]), ("in_service", SMS)} <= kinds
    assert [each["values"]["name"] for each in told if each["kind"] == "webhook"] == [SERVICE, NUMBERS[BRANCH][0]]


async def test_a_part_of_twilio_that_fails(checks: Checks, world: World) -> None:
    """What it would have shown is not told; the rest is."""
    world.twilio.faults.add(Fault("console", "error", status=503, times=None, address="/v2/Channels/Senders"))
    senders = await checks.bad()
    world.twilio.faults.clear()
    world.twilio.faults.add(Fault("console", "reset", times=None, address="/v1/Services"))
    services = await checks.bad()
    world.twilio.faults.clear()

    assert (senders, services, await checks.bad()) == (["not_shown"], ["unreachable"], [])


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://u:p@a.example:8/b?c=d#rc=2", "https://a.example:8/b?…#rc=2"),
        ("/sign-in?next=1", "/sign-in?…"),
        ("http://[bad", "what is no URL"),
        ("", ""),
    ],
)
def test_a_url_as_it_is_shown(url: str, told: str) -> None:
    """Without user, password and query."""
    assert shown(url) == told
