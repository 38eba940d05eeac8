"""The cards in words, for whoever reads them, and putting one away: by the API and by the command line."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from appliance.notices.catalogue import CATALOGUE
from appliance.simulator import Fault
from appliance.store import cards
from appliance.store.cards import BOX, CardKind
from tests.support.command_line import CommandLine, write_config
from tests.support.shop import Shop, open_shop
from tests.support.world import CUSTOMER, SMS, ManualClock, World

NOBODYS = "+551140009999"
FIRST = "Retry or discard its dead letter first"


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    async with open_shop(tmp_path) as running:
        yield running


async def opened(shop: Shop, kind: str) -> dict[str, Any]:
    """The only open card of a kind."""
    (card,) = [each for each in (await shop.api.get("cards"))["cards"] if each["kind"] == kind]
    return dict(card)


async def dismiss(shop: Shop, card: int, reason: str = "I have seen it") -> tuple[int, str]:
    """Status, and what was said where it was refused."""
    url = f"{shop.api.base}/api/v1/cards/{card}/dismiss"
    async with shop.api.session.post(url, json={"reason": reason}) as response:
        answer = await response.json() if response.status != 204 else {"error": {"message": ""}}
        return response.status, answer["error"]["message"]


async def open_card(shop: Shop, kind: CardKind, **facts: cards.Fact) -> int:
    return await shop.appliance.store.write(lambda tx: tx.cards.open(kind, BOX, None, more=1, **facts))


async def test_a_card_says_what_happened_and_what_to_do(shop: Shop) -> None:
    """Everything that an owner reads, and since when and how often; no number but its end."""
    for _ in range(2):
        await shop.twilio.receive(CUSTOMER, NOBODYS, "Oi")
    card = await opened(shop, "orphan")

    assert {name: card[name] for name in ("title", "text", "itself", "todo")} == {
        "title": "Unknown number",
        "text": "Somebody wrote to …9999, which belongs to nobody here.",
        "itself": CATALOGUE["orphan"].itself,
        "todo": CATALOGUE["orphan"].todo,
    }
    assert (card["times"], card["opened_at"]) == (2, shop.appliance.clock.now())
    assert "facts" not in card


async def test_one_that_was_seen_is_put_away(shop: Shop) -> None:
    """It is closed with the reason, what it tells of stays, and the same thing once more is another card."""
    await shop.twilio.receive(CUSTOMER, NOBODYS, "Oi")
    card = await opened(shop, "orphan")

    assert await dismiss(shop, card["id"], "  not ours  ") == (204, "")

    assert await shop.cards() == []
    assert await shop.column("SELECT dismissed FROM cards WHERE id = ?", card["id"]) == ["not ours"]
    assert await shop.column("SELECT count(*) FROM orphaned_messages") == [1]
    assert await dismiss(shop, card["id"]) == (409, "This card is closed already.")
    await shop.twilio.receive(CUSTOMER, NOBODYS, "Oi?")
    assert (await opened(shop, "orphan"))["id"] != card["id"]


@pytest.mark.parametrize("kind", sorted({kind.partition(".")[0] for kind, each in CATALOGUE.items() if each.is_state}))
async def test_what_lasts_cannot_be_put_away(shop: Shop, kind: str) -> None:
    """It is true until it is over, and closes by itself then."""
    card = await open_card(shop, CardKind(kind))

    status, said = await dismiss(shop, card)

    assert (status, said.partition(":")[0]) == (409, "This card stays as long as what it tells of")
    assert await shop.column("SELECT closed_at FROM cards WHERE id = ?", card) == [None]


async def test_who_was_not_answered_is_not_put_away(shop: Shop) -> None:
    """As long as the dead letter waits, the card is all that tells of the customer; it goes with the letter."""
    await shop.fail()
    card = await opened(shop, "could_not_answer")

    status, said = await dismiss(shop, card["id"])
    assert (status, said.startswith(FIRST)) == (409, True)

    (letter,) = await shop.letters()
    await shop.api.call("DELETE", f"dead-letters/{letter}")
    assert await shop.cards() == []


async def test_an_answer_that_was_not_delivered(shop: Shop) -> None:
    """The same for a card of a reply; where its letter was settled without it, it can be put away."""
    shop.moody.works = True
    shop.twilio.faults.add(Fault("delivery", "undelivered", code=30003))
    await shop.say("Oi")
    await shop.settle()
    card = await opened(shop, "undelivered")
    status, said = await dismiss(shop, card["id"])
    assert (status, said.startswith(FIRST)) == (409, True)

    await shop.appliance.store.write(lambda tx: tx.sql.run("UPDATE message_queue SET status = 'discarded'"))

    assert await dismiss(shop, card["id"]) == (204, "")


@pytest.mark.parametrize(("kind", "letters"), [("not_sent", 1), ("doubt", 1), ("too_late", 1), ("not_sent", 0)])
async def test_every_card_of_a_dead_letter(shop: Shop, kind: str, letters: int) -> None:
    """Of a row of the outbox or of a conversation; without a letter nothing waits. Nobody else's letter counts."""
    await shop.fail()
    await shop.api.call("DELETE", "dead-letters")
    about = {"conversation": 1} if kind == "too_late" else {"conversation": 1, "outbox": 1}
    subject = cards.conversation(1) if kind == "too_late" else cards.reply(1)
    facts = {"case": "parked"} if kind == "doubt" else {}

    def bury(tx: Any) -> int:
        for _ in range(letters):
            tx.jobs.bury("send_reply", None, "refused", None)
            tx.sql.run("UPDATE message_queue SET payload = json(?) WHERE status = 'dead'", str(about).replace("'", '"'))
        opened: int = tx.cards.open(CardKind(kind), subject, 1, who="…7777", why="refused", **facts)
        return opened

    card = await shop.appliance.store.write(bury)

    assert (await dismiss(shop, card))[0] == (409 if letters else 204)


async def test_what_was_held_back_before_there_was_an_answer(shop: Shop) -> None:
    """The loop guard's card is about the conversation and has no dead letter: it can be put away."""
    card = await shop.appliance.store.write(
        lambda tx: tx.cards.open(CardKind.NOT_SENT, cards.conversation(1), who="…7777", why="x")
    )

    assert await dismiss(shop, card) == (204, "")


@pytest.mark.parametrize(("reason", "said"), [("  ", "Say why"), ("x" * 501, "")])
async def test_a_reason_is_given(shop: Shop, reason: str, said: str) -> None:
    """Whoever looks later sees why; not at any length."""
    card = await open_card(shop, CardKind.SENT_TWICE, who="…7777")

    status, answer = await dismiss(shop, card, reason)

    assert (status, answer.startswith(said)) == (400, True)
    assert await dismiss(shop, 999) == (404, "There is no such card.")


async def test_words_of_another_program_are_words(shop: Shop) -> None:
    """A provider's reason with braces is shown as it is, and no reason breaks the list of all."""
    odd = "model {who} of {nothing} {0} {who.__class__} {"
    for kind in (CardKind.COULD_NOT_ANSWER, CardKind.NOT_SENT):
        await open_card(shop, kind, who="…7777", why=odd)
    await open_card(shop, CardKind.AI, said=odd)

    told = {each["kind"]: each["text"] for each in (await shop.api.get("cards"))["cards"]}

    assert told["ai"] == f"It says: {odd}."
    assert told["not_sent"] == "The reason: model …7777 of {nothing} {0} {who.__class__} {."
    assert told["could_not_answer"] == "The answer failed: model …7777 of {nothing} {0} {who.__class__} {."


async def test_a_card_from_before_keeps_its_sentence(shop: Shop) -> None:
    """Of a version that stored sentences; its kind may be put away as ever."""
    await shop.appliance.store.write(
        lambda tx: tx.sql.run(
            "INSERT INTO cards (kind, subject, text, opened_at, last_at) VALUES ('orphan', 'number:1', 'As it was.', 1, 1)"
        )
    )
    card = await opened(shop, "orphan")

    assert card["title"] == "As it was."
    assert await dismiss(shop, card["id"]) == (204, "")


def test_every_kind_has_words() -> None:
    """A kind without a notice could not be shown; each says what to do, and when it goes."""
    assert {kind.partition(".")[0] for kind in CATALOGUE} == set(CardKind)
    assert [
        kind for kind, each in CATALOGUE.items() if not (each.title and each.text and each.todo and each.closes)
    ] == []
    assert [kind for kind, each in CATALOGUE.items() if not 1 <= each.priority <= 5] == []


async def test_the_command_line_lists_and_puts_away(tmp_path: Path) -> None:
    """Title, text, what happens by itself, what to do, how often and since when; as JSON what the API says."""
    async with World(tmp_path, clock=ManualClock()) as world:
        cli = CommandLine(write_config(tmp_path / "config.toml", world.config))
        await world.settle()
        assert (await cli("cards", "list")).stdout == "Nothing needs a look.\n"
        for _ in range(2):
            await world.twilio.receive(CUSTOMER, NOBODYS, "Oi")
        listed = await cli("cards", "list")
        first, *more = listed.stdout.splitlines()
        assert first.startswith("1  Unknown number (since 2027-01-15 ")
        assert first.endswith(", 2 times)")
        assert more == [
            "    Somebody wrote to …9999, which belongs to nobody here.",
            f"    By itself: {CATALOGUE['orphan'].itself}",
            f"    To do: {CATALOGUE['orphan'].todo}",
        ]
        (card,) = (await cli.json("cards", "list"))["cards"]
        assert (card["title"], card["times"], card["kind"]) == ("Unknown number", 2, "orphan")

        unsaid = await cli("cards", "dismiss", "1")
        done = await cli("cards", "dismiss", "1", "--reason", "not ours")
        again = await cli("cards", "dismiss", "1", "--reason", "not ours", "--json")

        assert (unsaid.exit_code, "--reason" in unsaid.stderr) == (2, True)
        assert (done.exit_code, done.stdout) == (0, "1 put away.\n")
        assert (again.exit_code, again.stderr) == (1, "This card is closed already.\n")
        assert await world.cards() == []


async def test_the_command_line_lists_an_organizations_own(tmp_path: Path) -> None:
    """With --org; the box's own are not among them. JSON of a dismissal names the card."""
    async with World(tmp_path, clock=ManualClock()) as world:
        cli = CommandLine(write_config(tmp_path / "config.toml", world.config))
        await world.twilio.receive(CUSTOMER, NOBODYS, "Oi")
        await world.say("ATENDENTE", CUSTOMER, SMS)
        await world.settle()

        (card,) = (await cli.json("cards", "list", "--org", "Padaria Aurora"))["cards"]

        assert card["kind"] == "waiting"
        assert await cli.json("cards", "dismiss", str(card["id"]), "--reason", "called her") == {"id": card["id"]}
