"""Bad and hostile input at the webhook: refused as the contract says, or stored exactly and never obeyed."""

import gzip
import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from yarl import URL

from tests.support.wire import FORM, message, post, signature
from tests.support.world import ACCOUNT, CUSTOMER, SMS, WHATSAPP, World

SID = "SM" + "1" * 32
HOSTILE = {
    "script": "<script>alert(1)</script>",
    "nul": "a\x00b",
    "rtl": "\u202eolá\u202c مرحبا",
    "emoji": "😀" * 10_000,
    "crlf": "a\r\nSet-Cookie: x=1\r\n\r\nb\n",
    "escape": "100% %zz %",
    "sql": "'; DROP TABLE messages; --",
    "ansi": "\x1b[2J\x1b[31m",
    "blank": "  \n ",
    "empty": "",
    "template": "{{7*7}} {organization} %s ${x}",
    "json": '{"a": "\\u0000"}',
    "lone": "\ufeff\ufffe\u2028",
}


@pytest.mark.parametrize("given", ["missing", "forged", "empty", "not ASCII", "other token", "other body"])
async def test_what_twilio_did_not_sign_is_403(world: World, given: str) -> None:
    """Nothing is stored, whatever is wrong with the signature."""
    pairs = message(SID)
    token = signature(world, "/twilio/messages", pairs, "another token")
    other = signature(world, "/twilio/messages", message(SID, "other"))
    headers = {"forged": "AAAA", "empty": "", "not ASCII": "é", "other token": token, "other body": other}
    if given == "missing":
        async with (
            aiohttp.ClientSession() as session,
            session.post(world.address + "/twilio/messages", data=dict(pairs)) as response,
        ):
            status = response.status
    else:
        status, _ = await post(world, pairs, X_Twilio_Signature=headers[given])

    assert status == 403
    assert await world.column("SELECT count(*) FROM messages") == [0]


@pytest.mark.parametrize(
    ("raw", "content_type"),
    [
        (b"\xff\xfe=1", FORM),
        (b"MessageSid=%ff", FORM),
        ("Body=olá".encode(), FORM),
        (b'{"MessageSid": "SM1"}', "application/json"),
        (b"--x\r\nbroken multipart", "multipart/form-data; boundary=x"),
        (b"MessageSid=SM1", "text/plain"),
        (b"MessageSid=SM1", ""),
        (b"&".join([b"a=1"] * 501), FORM),
        (b"", FORM),
    ],
)
async def test_what_is_no_form_is_403(world: World, raw: bytes, content_type: str) -> None:
    """Another encoding, another type, no UTF-8, too many fields, nothing at all: 403 and never a traceback."""
    status, text = await post(world, [], raw=raw, Content_Type=content_type)
    assert (status, text) == (403, "")


async def test_a_signed_form_without_sid_is_403(world: World) -> None:
    """Without a MessageSid there is nothing to make it unique by."""
    assert (await post(world, message(SID)[1:]))[0] == 403
    assert (await post(world, [("MessageSid", ""), *message(SID)[1:]]))[0] == 403


async def test_a_broken_compression_is_a_client_error(world: World) -> None:
    """Content-Encoding that is a lie: 4xx, nothing stored, the next message works."""
    pairs = message(SID)
    status, _ = await post(world, pairs, raw=b"not gzip", Content_Encoding="gzip")
    assert 400 <= status < 500
    bomb = gzip.compress(b"Body=" + b"a" * 5_000_000)
    status, _ = await post(world, pairs, raw=bomb, Content_Encoding="gzip")
    assert 400 <= status < 500
    assert (await post(world, pairs))[0] == 200


@pytest.mark.parametrize("announced", [True, False])
async def test_an_oversized_body_is_413(world: World, announced: bool) -> None:
    """Over 256 KiB, with Content-Length or in chunks."""
    body = urlencode(message(SID, "x" * 300_000)).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 50_000):
            yield body[start : start + 50_000]

    headers = {"Content-Type": FORM, "X-Twilio-Signature": "x"}
    async with aiohttp.ClientSession() as session:
        data = body if announced else chunks()
        async with session.post(world.address + "/twilio/messages", data=data, headers=headers) as response:
            assert response.status == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_other_methods_are_405(world: World, method: str) -> None:
    """The webhooks are POSTed; that of a message may be a signed GET."""
    async with aiohttp.ClientSession() as session:
        for path in ("/twilio/messages", "/twilio/status"):
            async with session.request(method, world.address + path) as response:
                assert response.status == (403 if (method, path) == ("GET", "/twilio/messages") else 405)


@pytest.mark.parametrize("body", ["Oi", "ção 😀 " * 500, "a" * 20_000])
async def test_a_signed_get_is_a_message(world: World, body: str) -> None:
    """A number may be set to it: the same handling, however long the URL is."""
    sid, status = await world.twilio.receive(CUSTOMER, SMS, body, method="GET")
    again = await world.twilio.receive(CUSTOMER, SMS, body, sid=sid, method="GET")
    await world.settle()

    assert (status, again) == (200, (sid, 200))
    assert await world.rows("SELECT sid, body FROM messages") == [{"sid": sid, "body": body}]
    assert len(world.sent()) == 1


@pytest.mark.parametrize("given", ["missing", "forged", "of a form", "of another query"])
async def test_a_get_that_twilio_did_not_sign_is_403(world: World, given: str) -> None:
    """The signature covers the whole URL and nothing else; a form's does not do."""
    path = f"/twilio/messages?{urlencode(message(SID))}"
    tokens = {
        "missing": "",
        "forged": "AAAA",
        "of a form": signature(world, "/twilio/messages", message(SID)),
        "of another query": signature(world, f"{path}&x=1", []),
    }
    async with (
        aiohttp.ClientSession() as session,
        session.get(URL(world.address + path, encoded=True), headers={"X-Twilio-Signature": tokens[given]}) as response,
    ):
        assert response.status == 403
    assert await world.column("SELECT count(*) FROM messages") == [0]


async def test_the_answer_is_an_empty_twiml_document(world: World) -> None:
    """Anything else would be texted to the customer; no cookie, no redirect."""
    headers = {"Content-Type": FORM, "X-Twilio-Signature": signature(world, "/twilio/messages", message(SID))}
    async with aiohttp.ClientSession() as session:
        data = urlencode(message(SID))
        async with session.post(world.address + "/twilio/messages", data=data, headers=headers) as response:
            assert response.status == 200
            assert response.content_type == "text/xml"
            assert "Set-Cookie" not in response.headers
            assert (await response.text()).endswith("<Response/>")


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_bodies_are_stored_exactly(world: World, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Byte for byte what the customer wrote; nothing of it in the log; and the queue goes on."""
    body = HOSTILE[name]
    capsys.readouterr()

    assert (await post(world, message(SID, body)))[0] == 200
    await world.settle()

    assert await world.column("SELECT body FROM messages") == [body]
    logged = capsys.readouterr().out
    assert len(body) < 8 or body[:8] not in logged
    assert CUSTOMER not in logged
    assert await world.column("SELECT count(*) FROM message_queue WHERE status IN ('ready', 'running', 'dead')") == [0]
    assert "live" not in await world.dispositions()


async def test_hostile_names_and_sids_stay_on_one_line(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing in a signed form can write a line of its own into the log."""
    capsys.readouterr()
    for number, text in enumerate(("SM\r\n2026 [error] forged", "SM\x1b[2J", "SM\u2028x")):
        assert (await post(world, message(text, f"m{number}")))[0] == 200
    await world.settle()

    assert not [line for line in capsys.readouterr().out.splitlines() if line.startswith("2026 [error] forged")]


async def test_unknown_and_repeated_parameters_are_kept(world: World) -> None:
    """Twilio adds parameters without notice, and some come twice: all are signed, all are stored in order."""
    pairs = [*message(SID), ("NewThing", "1"), ("NewThing", "2"), ("NewThing", "1"), ("ümlaut", "ß"), ("Empty", "")]

    assert (await post(world, pairs))[0] == 200

    stored = json.loads((await world.column("SELECT parameters FROM messages"))[0])
    assert [tuple(pair) for pair in stored] == pairs


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        (SMS, "own channel"),
        ("12345", "short code"),
        ("MYBANK", "alphanumeric sender"),
        ("", "alphanumeric sender"),
    ],
)
async def test_who_must_not_be_answered_is_stored_and_not_answered(world: World, sender: str, reason: str) -> None:
    """Another number of ours (a loop), a short code, a name: kept with the reason, never a text."""
    assert (await post(world, message(SID, "Qual o horário?", sender)))[0] == 200
    await world.settle()

    assert await world.column("SELECT suppressed FROM messages") == [reason]
    assert [entry for entry in world.twilio.ledger if not entry.inbound] == []


async def test_a_channel_of_another_organization_is_an_own_channel(world: World) -> None:
    """Two boxes' numbers, or two of one box, never talk to each other."""
    assert (await post(world, message(SID, "Oi", WHATSAPP, SMS)))[0] == 200
    assert await world.column("SELECT suppressed FROM messages") == ["own channel"]


@pytest.mark.parametrize(
    "changes", [{"To": "+5511999999999"}, {"AccountSid": "AC" + "f" * 32}, {"To": ""}, {"To": SMS + " "}]
)
async def test_an_orphan_is_stored_and_never_answered(world: World, changes: dict[str, str]) -> None:
    """An unknown number or another account: no default tenant, a card, once however often it comes."""
    pairs = list((dict(message(SID)) | changes).items())

    for _ in range(2):
        assert (await post(world, pairs))[0] == 200
    await world.settle()

    assert await world.column("SELECT sid FROM orphaned_messages") == [SID]
    assert await world.column("SELECT count(*) FROM messages") == [0]
    assert await world.cards() == ["stranger" if "AccountSid" in changes else "orphan"]
    assert [entry for entry in world.twilio.ledger if not entry.inbound] == []


async def test_a_business_scoped_id_is_answered_verbatim(world: World) -> None:
    """A WhatsApp user who hides the phone is an opaque address; the reply goes to the same string."""
    user = "whatsapp:BR.AbC123xyz"
    await world.say("Qual o horário?", user, WHATSAPP)
    await world.settle()
    assert len(world.sent(user)) == 1


async def test_one_phone_on_two_channels_is_two_conversations(tmp_path: Path) -> None:
    """SMS and WhatsApp of one phone have two senders and two opt-outs."""
    async with World(tmp_path) as world:
        await world.say("Oi")
        await world.say("Oi", f"whatsapp:{CUSTOMER}", WHATSAPP)
        await world.settle()

        assert len(world.sent()) == len(world.sent(f"whatsapp:{CUSTOMER}")) == 1
        assert await world.column("SELECT count(*) FROM conversations") == [2]
        assert {entry.account_sid for entry in world.twilio.ledger} == {ACCOUNT}
