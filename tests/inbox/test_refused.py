"""Webhooks that are refused although they are Twilio's: the owner is told why, and a stranger's noise tells nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

import aiohttp
import msgspec
import pytest
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from appliance.config import Config, Secret
from appliance.errors import StorageFullError
from appliance.inbox.refused import EXPLAINED, MESSAGE, MOST, Place
from appliance.model import MAIN
from appliance.notices.sentences import Reader, told
from appliance.twilio import misfit
from tests.support import wire
from tests.support.accounts import BRANCH, NUMBERS, SHUT, SIDS, TOKENS, Accounts
from tests.support.world import ACCOUNT, CUSTOMER, SMS, TOKEN, WHATSAPP, ManualClock, World

STRANGERS = "strangers-token-0123456789abcdef01"


async def opened(world: World) -> list[str]:
    """What the cards say."""
    rows = await world.rows("SELECT * FROM cards WHERE kind = 'signature' AND closed_at IS NULL")
    words = [told(row, Reader("en", "UTC", 0)) for row in rows]
    return [f"{each.title}. {each.text} {each.todo}" for each in words]


def with_sections(config: Config, **sections: dict[str, Any]) -> Config:
    """The configuration with these keys changed."""
    changed = {name: msgspec.structs.replace(getattr(config, name), **keys) for name, keys in sections.items()}
    return msgspec.structs.replace(config, **changed)


async def begin_again(world: World, **sections: dict[str, Any]) -> None:
    """The owner changes the configuration and starts the appliance anew."""
    await world.stop()
    world.config = with_sections(world.config, **sections)
    await world.start()
    await pass_(world, 0)


async def pass_(world: World, seconds: float) -> None:
    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(seconds, world.settle)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, clock=ManualClock(1_800_025_200_000)) as running:
        await running.teach("Horário", "Abrimos das 7h às 19h.")
        yield running


async def refuse(world: World, body: str = "Qual o horário?", sender: str = CUSTOMER, to: str = SMS) -> str:
    """A customer writes, and the webhook is refused. Returns the sid."""
    sid, status = await world.twilio.receive(sender, to, body)
    assert status == 403
    return sid


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """How many signatures were computed while a refusal was explained."""
    found = [0]

    class Counted(RequestValidator):  # type: ignore[misc]  # Twilio's package has no types
        def compute_signature(self, *values: Any) -> str:
            found[0] += 1
            return str(super().compute_signature(*values))

    with monkeypatch.context() as patched:
        patched.setattr(misfit, "RequestValidator", Counted)
        yield found


@pytest.mark.parametrize(
    "wrong",
    [
        "https://127.0.0.1:{port}",
        "http://localhost:{port}",
        "http://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/app",
        "http://127.0.0.1",
        "http://127.0.0.1:1",
        "https://localhost",
        "https://localhost:1/app",
    ],
)
async def test_a_wrong_public_url_opens_the_card_when_the_log_has_the_message(world: World, wrong: str) -> None:
    """Every webhook is refused. Within 90 s the card says what to set, and the message is answered once; the first one
    that fits after the change closes it.
    """
    await begin_again(world, server={"public_url": wrong.format(port=world.address.rpartition(":")[2])})

    await refuse(world)
    await world.settle()
    assert await opened(world) == []
    await pass_(world, 90)

    (text,) = await opened(world)
    assert f"set server.public_url to {world.address}," in text
    assert world.sent() == ["Abrimos das 7h às 19h."]
    await pass_(world, 600)
    await begin_again(world, server={"public_url": world.address})
    assert len(await opened(world)) == 1
    await world.say("Obrigado")
    assert await opened(world) == []
    await world.settle()
    assert world.sent().count("Abrimos das 7h às 19h.") == 1


async def test_three_refusals_open_the_card_without_the_log(world: World) -> None:
    """Twilio's REST API is out of reach. A webhook that comes again is no other one, and what is older than five minutes
    counts no more.
    """
    await begin_again(world, server={"public_url": "https://localhost:1"})
    world.twilio.revoked = True

    sid = await refuse(world)
    for _ in range(4):
        await world.twilio.receive(CUSTOMER, SMS, "", sid=sid)
        await pass_(world, 1)
    await refuse(world, to=WHATSAPP, sender=f"whatsapp:{CUSTOMER}")
    assert await opened(world) == []
    await pass_(world, 301)
    await refuse(world)
    await refuse(world)
    assert await opened(world) == []
    await refuse(world)

    assert len(await opened(world)) == 1
    assert await world.column("SELECT times FROM cards WHERE kind = 'signature'") == [3]
    await pass_(world, 1)
    await refuse(world)
    assert await world.column("SELECT times FROM cards WHERE kind = 'signature'") == [4]


async def test_a_card_that_cannot_be_stored_comes_with_the_next(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk it is still 403. So it is with the card's end: it stays until a later one closes it."""

    async def full(_unit: Any) -> Any:
        raise StorageFullError

    await begin_again(world, server={"public_url": "https://localhost:1"})
    with monkeypatch.context() as patched:
        patched.setattr(world.appliance.store, "write", full)
        for _ in range(3):
            await refuse(world)
    assert await opened(world) == []
    await pass_(world, 1)
    await refuse(world)
    assert await world.column("SELECT times FROM cards WHERE closed_at IS NULL") == [4]

    refusals, place = world.appliance.engine.refusals, Place(MAIN, MESSAGE, SMS)
    with monkeypatch.context() as patched:
        patched.setattr(world.appliance.store, "write", full)
        await refusals.fits(place)
    assert len(await opened(world)) == 1
    await refusals.fits(place)
    assert await opened(world) == []


async def test_callbacks_count_and_their_fits_do_not_hide_a_message(world: World) -> None:
    """Callbacks go to the setting's own address and fit. The card stays while messages do not, and says so once."""
    port = world.address.rpartition(":")[2]
    await begin_again(world, server={"public_url": f"http://localhost:{port}"})
    await refuse(world)
    await pass_(world, 90)

    assert len(await opened(world)) == 1
    assert await world.column("SELECT state FROM outbox") == ["delivered"]
    for number in range(3):
        report = [("MessageSid", f"SM{number:032}"), ("MessageStatus", "sent"), ("AccountSid", ACCOUNT)]
        assert (await wire.post(world, report, "/twilio/status?o=1"))[0] == 403
    assert await world.column("SELECT count(*) FROM cards WHERE kind = 'signature'") == [1]


async def test_three_callbacks_open_the_card(world: World) -> None:
    """A Messaging Service that makes them by GET."""
    url = "/twilio/status?" + urlencode({"MessageStatus": "sent", "AccountSid": ACCOUNT})
    async with aiohttp.ClientSession() as session:
        for number in range(3):
            assert await opened(world) == []
            signed = f"{world.address}{url}&MessageSid=SM{number:032}"
            header = {"X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(signed, {})}
            async with session.get(signed, headers=header) as response:
                assert (response.status, response.headers["Allow"]) == (405, "POST")

    (text,) = await opened(world)
    assert "set the webhook's method to HTTP POST" in text


@pytest.mark.parametrize("path", ["/app/twilio/messages", "/twilio/messages/", "/app/twilio/messages/"])
async def test_an_address_that_is_no_hook(world: World, path: str) -> None:
    """Rightly signed for the address it came to: 404 as ever, nothing stored, and the card says what is wrong with it."""
    for number in range(3):
        assert (await wire.post(world, wire.message(f"SM{number:032}"), path))[0] == 404

    (text,) = await opened(world)
    assert ("let the proxy take /app away" in text) == path.startswith("/app")
    assert ("address in Twilio's console to" in text) == (path.endswith("/") or path.startswith("/app"))
    assert await world.column("SELECT count(*) FROM messages") == [0]


async def test_a_wrong_token_is_known_by_the_log_alone(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """All listed tokens are wrong and an API key opens the log: nothing fits, and Twilio has the message."""
    world.twilio._credentials.append(("SK" + "1" * 32, "secret-of-the-key"))
    key = {"api_key_sid": "SK" + "1" * 32, "api_key_secret": Secret("secret-of-the-key")}
    await begin_again(world, twilio={"auth_tokens": (Secret("wrong-token-0123456789abcdef01234"),), **key})

    for _ in range(5):
        await refuse(world)
    assert await opened(world) == []
    await pass_(world, 90)

    (text,) = await opened(world)
    assert "compare the token in twilio.auth_tokens with Twilio's console" in text
    assert await world.column("SELECT times FROM cards WHERE kind = 'signature'") == [5]
    assert world.sent() == ["Abrimos das 7h às 19h."]
    await begin_again(world, twilio={"auth_tokens": (Secret(TOKEN),)})
    await world.say("Obrigado")
    assert await opened(world) == []


async def test_a_proxy_that_takes_the_signature_away(world: World) -> None:
    """Anybody can leave it out, so only the log's word opens the card."""
    sid, _ = await world.twilio.receive(CUSTOMER, SMS, "Qual o horário?", deliver=False)
    for _ in range(4):
        assert (await wire.post(world, wire.message(sid, "Qual o horário?"), X_Twilio_Signature=""))[0] == 403
    assert await opened(world) == []
    await pass_(world, 90)

    assert ["X-Twilio-Signature" in text for text in await opened(world)] == [True]
    assert world.sent() == ["Abrimos das 7h às 19h."]


async def test_another_accounts_token(tmp_path: Path) -> None:
    """The branch has the shut account's token and the other way round: each card names the account it belongs to. Main's
    webhooks go on, and open and close nothing.
    """
    async with Accounts(tmp_path) as world:
        await world.pass_(0)
        exchanged = tuple(
            msgspec.structs.replace(each, auth_tokens=(Secret(TOKENS[SHUT if each.name == BRANCH else BRANCH]),))
            for each in world.config.twilio.accounts
        )
        await begin_again(world, twilio={"accounts": exchanged})
        for name in (BRANCH, SHUT, MAIN):
            for number in range(3):
                await world.write(name, f"+551198888777{number}", NUMBERS[name][0], f"Oi {number}")
            await world.pass_(1)

        rows = await world.rows("SELECT * FROM cards WHERE kind = 'signature'")
        cards = {row["subject"]: told(row, Reader("en", "UTC", 0)).todo for row in rows}
        assert set(cards) == {f"account:{BRANCH}", f"account:{SHUT}"}
        assert f"a token of {SHUT}: put that into twilio.accounts.{BRANCH}.auth_tokens" in cards[f"account:{BRANCH}"]
        assert f"a token of {BRANCH}" in cards[f"account:{SHUT}"]
        assert len(await world.column("SELECT id FROM messages")) == 3
        assert len(await opened(world)) == 2


async def test_accounts_are_counted_apart(tmp_path: Path) -> None:
    """Two refusals of each of two accounts, all for the same wrong setting, are three of neither."""
    async with Accounts(tmp_path) as world:
        await world.pass_(0)
        await begin_again(world, server={"public_url": "https://localhost:1"})
        for name in (MAIN, SHUT, SHUT, MAIN):
            await world.write(name, CUSTOMER, NUMBERS[name][0], "Oi")
            await world.pass_(1)
        assert await opened(world) == []
        await world.write(SHUT, CUSTOMER, NUMBERS[SHUT][0], "Oi")

        assert await world.column("SELECT subject FROM cards WHERE kind = 'signature'") == [f"account:{SHUT}"]


async def test_a_subaccount_whose_parent_signs(tmp_path: Path) -> None:
    """The branch is not said to be main's: the card says which key makes it so, and with it the card closes."""
    async with Accounts(tmp_path, signed_by_parent=True) as world:
        await world.pass_(0)
        listed = world.config.twilio.accounts
        orphaned = tuple(msgspec.structs.replace(each, parent=None) for each in listed)
        await begin_again(world, twilio={"accounts": orphaned})
        for number in range(3):
            await world.write(BRANCH, CUSTOMER, NUMBERS[BRANCH][0], f"Oi {number}")

        (text,) = await opened(world)
        assert text.startswith(f"{BRANCH}: ")
        assert f'set twilio.accounts.{BRANCH}.parent to "{MAIN}"' in text
        await begin_again(world, twilio={"accounts": listed})
        await world.write(MAIN, CUSTOMER, SMS, "Oi")
        assert len(await opened(world)) == 1
        await world.write(BRANCH, CUSTOMER, NUMBERS[BRANCH][0], "Oi")
        assert await opened(world) == []


async def test_each_number_for_itself(world: World) -> None:
    """One number's address at Twilio is wrong: another one's webhooks do not take its card back."""
    port = world.address.rpartition(":")[2]
    for _ in range(3):
        world.twilio.public_url = f"http://localhost:{port}"
        await refuse(world)
        world.twilio.public_url = world.address
        await world.say("Oi", sender=f"whatsapp:{CUSTOMER}", to=WHATSAPP)
    await world.say("Oi", sender=f"whatsapp:{CUSTOMER}", to=WHATSAPP)
    assert len(await opened(world)) == 1
    await world.say("Oi")
    assert await opened(world) == []


async def test_a_refusal_is_told_once_in_the_log(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each explanation, without what was written."""
    await begin_again(world, server={"public_url": "https://localhost:1"})
    for number in range(4):
        await refuse(world, f"segredo {number}")
    written = capsys.readouterr()
    said = [line for line in (written.out + written.err).splitlines() if "set server.public_url to" in line]

    assert len(said) == 1
    assert f"{world.address}/twilio/messages would have" in said[0]
    assert "segredo" not in written.out + written.err


NOISE = 10_000


async def noise(world: World, number: int, session: aiohttp.ClientSession) -> None:
    """What strangers send: no account of ours, or ours with a sid of their own; unsigned, or by a token of theirs."""
    sid = ("SM" if number % 3 else "MM") + token_hex(16)
    pairs = {"MessageSid": sid, "AccountSid": ACCOUNT if number % 4 else "AC" + "9" * 32, "From": CUSTOMER, "To": SMS}
    url = world.address + ("/app" if number % 7 == 0 else "") + "/twilio/messages"
    signature = RequestValidator(STRANGERS).compute_signature(url, MultiDict(pairs)) if number % 5 else ""
    header = {"X-Twilio-Signature": signature, "Content-Type": wire.FORM}
    async with session.post(url, data=urlencode(pairs), headers=header) as response:
        assert response.status in (403, 404)


async def test_a_flood_of_noise(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand requests at once: no card, one look into the log, few signatures, few of them remembered. A webhook of
    Twilio's between them is answered.
    """
    await begin_again(world, twilio={"catch_up_every": 0})
    looks = "SELECT count(*) FROM message_queue WHERE kind = 'catch_up'"
    before = (await world.column(looks))[0]
    with counting(monkeypatch) as computed:
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=20)) as session:
            for begin in range(0, NOISE, 500):
                await asyncio.gather(*(noise(world, begin + number, session) for number in range(500)))
    refusals = world.appliance.engine.refusals

    assert 0 < computed[0] <= EXPLAINED * misfit.MOST
    assert len(refusals._claimed) <= MOST
    assert not refusals._proven
    assert not refusals._trouble
    await world.say("Qual o horário?")
    await pass_(world, 59)
    assert (await world.column(looks))[0] - before <= 1
    assert await world.cards() == []
    assert world.sent() == ["Abrimos das 7h às 19h."]


async def test_noise_for_ten_minutes(world: World) -> None:
    """A request every ten seconds: no card, and Twilio's log is asked for at most once a minute."""
    await begin_again(world, twilio={"catch_up_every": 0})
    looks = "SELECT count(*) FROM message_queue WHERE kind = 'catch_up'"
    before = (await world.column(looks))[0]
    async with aiohttp.ClientSession() as session:
        for number in range(60):
            await noise(world, number, session)
            await pass_(world, 10)

    assert 1 <= (await world.column(looks))[0] - before <= 10
    assert not world.appliance.engine.refusals._told
    assert await world.cards() == []


@pytest.mark.parametrize("before", [1, 14, 16, 40, 59, 61])
async def test_noise_a_moment_before_keeps_nobody_waiting(world: World, before: int) -> None:
    """The one look of this minute was a stranger's: Twilio's message is found in the next one, within 90 s."""
    await begin_again(world, twilio={"catch_up_every": 0}, server={"public_url": "https://localhost:1"})
    async with aiohttp.ClientSession() as session:
        await noise(world, 1, session)
    await pass_(world, before)
    await refuse(world)
    await pass_(world, 90)

    assert len(await opened(world)) == 1
    assert world.sent() == ["Abrimos das 7h às 19h."]


async def test_a_stranger_who_names_no_account_asks_for_nothing(world: World) -> None:
    """Not even for a look into the log."""
    await begin_again(world, twilio={"catch_up_every": 0})
    looks = "SELECT count(*) FROM message_queue WHERE kind = 'catch_up'"
    before = await world.column(looks)
    async with aiohttp.ClientSession() as session:
        for number in range(0, 80, 4):
            await noise(world, number, session)
    await pass_(world, 60)

    assert await world.column(looks) == before


async def test_what_was_refused_at_first_and_came_again_is_no_trouble(world: World) -> None:
    """A stranger sends a message's sid that its own webhook brings a moment later: the log finds nothing new."""
    sid, _ = await world.twilio.receive(CUSTOMER, SMS, "Qual o horário?", deliver=False)
    assert (await wire.post(world, wire.message(sid), X_Twilio_Signature="A" * 27 + "="))[0] == 403
    await world.twilio.receive(CUSTOMER, SMS, "Qual o horário?", sid=sid)
    await pass_(world, 300)

    assert await world.cards() == []
    assert world.sent() == ["Abrimos das 7h às 19h."]
    assert SIDS[MAIN] == ACCOUNT
