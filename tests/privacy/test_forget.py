"""Forgetting a person: nothing is left in any file, what comes again is not new, and the counts hold."""

from collections.abc import Iterator

import pytest

from appliance import logs
from appliance.store import backup
from tests.privacy.scene import ANSWER, NAME, REAL, WORDS, catch_up, forget, forgotten, live, states, traces
from tests.support import logging_state
from tests.support.api_client import api_of
from tests.support.world import API_KEY, CUSTOMER, SMS, WHATSAPP, World

SOUGHT = [CUSTOMER.removeprefix("+"), NAME, *WORDS]


@pytest.fixture(autouse=True)
def logging() -> Iterator[None]:
    with logging_state.given_back():
        yield


async def test_nothing_is_left_in_any_file(shop: World, capfd: pytest.CaptureFixture[str]) -> None:
    """Number, name and five marked words: in database, write-ahead log, free pages, a later backup and the log."""
    directory = shop.appliance.store.directory
    logs.configure("debug", "json")  # as an operator reads it, whatever another test had set
    sid = await live(shop)
    await shop.teach(f"{NAME} {WORDS[0]}", WORDS[1])  # the owner's own words, taken back by the owner
    await shop.appliance.store.write(lambda tx: tx.knowledge.remove(2))
    async with api_of(shop) as api:
        before = await api.get("status")
    assert {word for held in traces(directory, SOUGHT).values() for word in held} == set(SOUGHT)

    await forget(shop)
    await shop.settle()
    assert await states(shop) == ["done"]
    await backup.take_one(directory, shop.appliance.clock.now())
    (directory / "journal.log").write_text("".join(capfd.readouterr()))

    assert traces(directory, [*SOUGHT, sid]) == {"journal.log": [sid]}
    async with api_of(shop) as api:
        after = await api.get("status")
        assert (await api.get("verify"))["ok"]
    assert (after["messages"], after["outbox"]) == (before["messages"], before["outbox"])


async def test_a_redelivery_is_not_answered(shop: World) -> None:
    """Twilio may deliver a message again for ever, or its log shows it again: it is known, and stores nothing."""
    sid = await live(shop)
    said = shop.sent()
    await forget(shop)
    await shop.settle()

    assert (await shop.twilio.receive(CUSTOMER, SMS, f"Qual o horário? {WORDS[0]}", sid=sid))[1] == 200
    await catch_up(shop)

    assert shop.sent() == said
    assert await shop.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1"]
    assert traces(shop.appliance.store.directory, SOUGHT) == {}


async def test_late_callbacks_store_nothing(shop: World) -> None:
    """A status that comes after the end, for a row that is still there or for none."""
    async with api_of(shop) as api:
        shop.twilio.delivery.pace = 0.3
        await live(shop)
        await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Até logo"})
        await shop.until(lambda: len(shop.sent()) == 4)
    sid = next(entry.sid for entry in shop.twilio.ledger if entry.direction == "outbound-api")
    await forget(shop)
    await shop.settle()

    assert await states(shop) == ["done"]
    for reference in ("1.1.0123456789abcdef", "999.1.0123456789abcdef", ""):
        told = {"MessageSid": sid, "MessageStatus": "delivered", "From": SMS, "To": CUSTOMER, "AccountSid": REAL}
        answer = await shop.twilio._webhooks.call(f"{shop.address}/twilio/status?o={reference}", told)
        assert answer.status == 204
    assert await shop.rows("SELECT * FROM delivery_events") == []
    assert await shop.rows("SELECT * FROM attempts") == []
    assert traces(shop.appliance.store.directory, SOUGHT) == {}


async def test_what_was_missed_before_is_not_fetched_after(shop: World) -> None:
    """A webhook was lost; by the time the log is read its customer is forgotten. What is written later is answered."""
    await live(shop)
    await shop.twilio.receive(CUSTOMER, SMS, f"Qual o horário? {WORDS[0]}", deliver=False)
    await forget(shop)
    await shop.settle()
    said = shop.sent()

    await catch_up(shop)
    assert shop.sent() == said
    assert await shop.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1"]
    await shop.say("Qual o horário?")
    await shop.settle()

    assert shop.sent() == [*said, ANSWER]
    assert await shop.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", CUSTOMER]


async def test_who_wanted_no_messages_still_wants_none(shop: World) -> None:
    """A keyed hash of the address keeps the wish: the person is not written to, and is out when writing again."""
    await live(shop)
    await shop.say("SAIR")
    await shop.settle()
    await forget(shop)
    await shop.settle()
    said = len(shop.sent())
    assert (await forgotten(shop))[0]["report"]["opted_out"] is True

    async with api_of(shop) as api:
        await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": "Promoção!"})
        await shop.settle()
        await shop.say("Qual o horário?")
        await shop.settle()

    assert len(shop.sent()) == said
    assert await shop.column("SELECT reason FROM outbox ORDER BY id DESC LIMIT 1") == ["opted out"]
    assert await shop.column("SELECT suppressed FROM messages ORDER BY id DESC LIMIT 1") == ["opted out"]
    await shop.say("VOLTAR")
    await shop.settle()
    assert len(shop.sent()) == said + 1


async def test_a_script_that_repeats_its_key_sends_nothing(shop: World) -> None:
    """The operator's idempotency key is not stored any more, and still known."""
    await live(shop)
    await forget(shop)
    await shop.settle()
    said = shop.sent()

    async with api_of(shop) as api:
        body = {"from": SMS, "to": CUSTOMER, "body": "x", "idempotency_key": f"key {CUSTOMER}"}
        status, answer = await api.post("messages", body)
    await shop.settle()

    assert (status, answer["error"]["code"]) == (409, "key_reused")
    assert shop.sent() == said


async def test_another_organizations_and_anothers_data_stay(shop: World) -> None:
    """Only this person, also where somebody else wrote at the same time."""
    other = "+5511977776666"
    await live(shop)
    await shop.say("Qual o horário?", other)
    await shop.settle()
    await forget(shop)
    await shop.settle()

    assert await shop.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", other]
    assert await shop.column("SELECT body FROM messages ORDER BY id DESC LIMIT 1") == ["Qual o horário?"]
    await shop.say("E amanhã, qual o horário?", other)
    await shop.settle()
    assert len(shop.sent(other)) == 2


async def test_who_wrote_to_nobodys_number_alone(shop: World) -> None:
    """No contact, and the person's words are here all the same."""
    await shop.twilio.receive(CUSTOMER, "+551133334444", f"{WORDS[4]}?")
    async with api_of(shop) as api:
        status, answer = await api.post("contacts/export", {"address": CUSTOMER})
    assert status == 200
    assert WORDS[4] in answer["transcript"]

    await forget(shop)
    await shop.settle()

    assert traces(shop.appliance.store.directory, SOUGHT) == {}
    async with api_of(shop, {"X-API-Key": API_KEY}) as api:
        assert (await api.get("status"))["messages"]["orphaned"] == 1


async def test_a_large_history_goes_in_steps(shop: World) -> None:
    """More rows than a unit of work takes; the marked words of all of them are gone, and the counts are told."""
    await live(shop)
    await shop.appliance.store.write(
        lambda tx: tx.sql.run(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300) "
            "INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, message_type, "
            "parameters, source, received_at, suppressed) "
            "SELECT 'SMx' || i, 1, 1, 1, ?, '[]', '', '[]', 'webhook', i, 'paused' FROM n",
            " ".join(WORDS * 20),
        )
    )

    await forget(shop)
    await shop.settle()

    assert traces(shop.appliance.store.directory, SOUGHT) == {}
    [told] = await forgotten(shop)
    assert told["report"]["messages"] == 1302
    assert await shop.column("SELECT count(*) FROM known_sids") == [told["report"]["sids"]]


async def test_both_kinds_of_address_are_named_one_by_one(shop: World) -> None:
    """Somebody who looks like the same person is proposed, and forgotten only where named."""
    await live(shop)
    await shop.say("Qual o horário?", f"whatsapp:{CUSTOMER}", WHATSAPP)
    await shop.say("Qual o horário?", "+551188887777")
    await shop.settle()
    async with api_of(shop) as api:
        found = await api.get(f"contacts?address={CUSTOMER}")
    assert found["alike"] == ["+551188887777", f"whatsapp:{CUSTOMER}"]

    await forget(shop, also=[f"whatsapp:{CUSTOMER}"])
    await shop.settle()

    assert await shop.column("SELECT address FROM contacts ORDER BY id") == [
        "forgotten:1",
        "forgotten:2",
        "+551188887777",
    ]
