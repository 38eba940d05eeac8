"""Stop and go on with one button: who may, what is said beforehand, what happens; in both languages."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from appliance.model import HOUR, MINUTE
from appliance.operations import users
from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx
from appliance.web.pages.words import LOCALES, translation
from tests.support.fake_ai import FakeAi
from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, SMS, ManualClock, World, sleep

NOON = 1_800_025_200_000  # 12:00 in São Paulo, where it is a Friday
THEIRS = "+551140000009"  # the second organization's channel
MARTA = "marta@example.com"
TAGS = re.compile(r"<[^>]+>")


def words(html: str) -> str:
    """A page's text."""
    return " ".join(TAGS.sub(" ", html).split())


@asynccontextmanager
async def marta_at(world: World, language: str = "en") -> AsyncIterator[Visitor]:
    """Signed in, of the first organization, and no admin."""
    async with Visitor(world, MARTA) as marta:
        await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE users SET language = ?", language))
        yield marta


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[World]:
    """Where one question was asked and answered at noon. `model` counts what it is asked."""
    async with World(tmp_path, clock=ManualClock(NOON), model=FakeAi()) as world:
        await say(world, "um")
        yield world


async def say(world: World, body: str, sender: str = CUSTOMER, to: str = SMS) -> None:
    await world.say(body, sender, to)
    await world.settle()


async def until(world: World) -> list[int | None]:
    return await world.column("SELECT until FROM pauses WHERE ended_at IS NULL ORDER BY subject")


async def second(world: World) -> None:
    """Another organization, with a user of its own."""
    world.twilio.owned = [*world.twilio.owned, THEIRS]
    florist = Registration("Florista", [THEIRS], "f@example.com")
    await world.appliance.store.write(lambda tx: register_organization(tx, florist))


async def test_stop_and_go_on(shop: World) -> None:
    """Three buttons, each with what it means; the page says until when and who; Resume answers what is young."""
    async with marta_at(shop) as marta:
        page = words(await marta.get("/"))
        assert "in 1 hour (13:00) Who writes until then is answered then." in page
        assert "until tomorrow 06:00 Messages of the last 30 min are answered then. Older ones become cards." in page
        assert (
            "I resume it myself Messages of the last 2 h are answered then, at night of the last 30 min. "
            "Older ones become cards." in page
        )
        assert await marta.post("/pause", until="1h") == "/"
        await say(shop, "dois")
        page = words(await marta.get("/"))
        assert "Answers are paused until 13:00." in page
        assert f"Paused by {MARTA} at 12:00" in page and "Resume answering" in page and "Pause…" not in page
        assert len(shop.sent()) == 1 and await until(shop) == [NOON + HOUR]

        assert await marta.post("/resume") == "/"
        await shop.settle()
        assert len(shop.sent()) == 2
        assert "Pause…" in words(await marta.get("/"))


async def test_in_portuguese(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence of it, by what the catalogue has now."""
    folder = shop.directory / "pt_BR" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (LOCALES / "pt_BR" / "LC_MESSAGES" / "pages.po").open("rb") as source:
        catalogue = read_po(source, "pt_BR")
    with (folder / "pages.mo").open("wb") as compiled:
        write_mo(compiled, catalogue)
    monkeypatch.setattr("appliance.web.pages.words.LOCALES", shop.directory)
    translation.cache_clear()
    async with marta_at(shop, "pt-BR") as marta:
        page = words(await marta.get("/"))
        assert "daqui a 1 hora (13:00) Quem escrever até lá recebe a resposta nessa hora." in page
        assert "até amanhã 06:00 As mensagens dos últimos 30 min são respondidas nessa hora." in page
        await marta.post("/pause", until="resume")
        page = words(await marta.get("/"))
        assert "As respostas estão pausadas." in page and "Voltar a responder" in page
    translation.cache_clear()


@pytest.mark.parametrize(("name", "end"), [("1h", NOON + HOUR), ("tomorrow", NOON + 18 * HOUR), ("resume", None)])
async def test_what_a_button_means_is_what_happens(shop: World, name: str, end: int | None) -> None:
    """Who writes when the page said that an answer comes gets one then; who writes before that is a card."""
    async with marta_at(shop) as marta:
        await marta.post("/pause", until=name)
        assert await until(shop) == [end]
        lasts = (end or NOON + 4 * HOUR) - NOON
        within = 30 * MINUTE if name == "tomorrow" else 2 * HOUR
        if lasts > within:
            await sleep(shop, (lasts - within) / MINUTE - 1)
            await say(shop, "velha", "+5511900000001")
            await sleep(shop, 2)
        await say(shop, "nova", "+5511900000002")
        left = (NOON + lasts - shop.appliance.clock.now()) / MINUTE
        await sleep(shop, left)
        if end is None:
            await marta.post("/resume")
            await shop.settle()

        assert shop.sent("+5511900000002") == ["You asked: nova"]
        assert shop.sent("+5511900000001") == []
        assert await shop.cards() == (["too_late"] if lasts > within else [])


async def test_until_it_opens(shop: World) -> None:
    """Where the organization has hours "tomorrow" is when it opens next: on Saturday not at all, on Sunday at nine."""
    hours = '[[],[],[],[["08:00","18:00"]],[["08:00","18:00"]],[],[["09:00","12:00"]]]'
    await shop.appliance.store.write(lambda tx: tx.sql.run("UPDATE organizations SET hours = ?", hours))
    async with marta_at(shop) as marta:
        page = words(await marta.get("/"))
        await marta.post("/pause", until="tomorrow")
        (end,) = await until(shop)

        assert end is not None and (end - NOON) % HOUR == 0
        local = shop.appliance.clock.now()
        assert end > local and "until" in page


async def test_only_who_sees_the_box_stops_the_box(shop: World) -> None:
    """With two organizations each stops its own; an admin stops all, and others see it and cannot go on."""
    await second(shop)
    async with marta_at(shop) as marta, Visitor(shop, "admin@example.com", admin=True) as admin:
        assert "whole box" not in words(await marta.get("/"))
        await marta.post("/pause", 404, until="1h", scope="box")
        await marta.post("/pause", until="1h")
        await say(shop, "flores", "+5511900000003", THEIRS)
        assert len(shop.sent("+5511900000003")) == 1
        await marta.post("/resume")

        await admin.post("/pause", until="1h", scope="box")
        await say(shop, "flores", "+5511900000003", THEIRS)
        await say(shop, "dois")
        assert (len(shop.sent("+5511900000003")), len(shop.sent())) == (1, 1)
        page = words(await marta.get("/"))
        assert "The whole box is paused." in page and "Resume answering" not in page
        await marta.post("/resume")
        await shop.settle()
        assert len(shop.sent()) == 1

        await admin.post("/resume")
        await shop.settle()
        assert (len(shop.sent("+5511900000003")), len(shop.sent())) == (2, 2)


async def test_an_admin_looks_at_one_and_stops_that_one(shop: World) -> None:
    """The button on home is of the organization that is looked at."""
    await second(shop)
    async with Visitor(shop, "admin@example.com", admin=True) as admin:
        assert 'name="scope" value="box"' in await admin.get("/")
        await admin.post("/pause", until="resume")
        assert await shop.column("SELECT subject FROM pauses") == ["organization:1"]


async def test_one_conversation(shop: World) -> None:
    """Its customer alone gets no answer; the page says so; an answer by hand is possible, and it goes on by a button."""
    async with marta_at(shop) as marta:
        here = "/conversations/1"
        assert "Pause…" in words(await marta.get(here))
        assert await marta.post(f"{here}/pause", until="resume") == here
        await say(shop, "dois")
        await say(shop, "três", "+5511900000004")
        assert (len(shop.sent()), len(shop.sent("+5511900000004"))) == (1, 1)
        page = words(await marta.get(here))
        assert f"Paused here until somebody resumes. Paused by {MARTA} at 12:00" in page
        assert await marta.post(f"{here}/resume") == here
        await shop.settle()

        assert len(shop.sent()) == 2
        assert "Paused here" not in words(await marta.get(here))


async def test_who_answers_by_hand_during_a_pause_has_answered(shop: World) -> None:
    """What waited before a person's word is not answered again, neither at the end nor when the customer is given back."""
    async with marta_at(shop) as marta:
        await marta.post("/pause", until="resume")
        await say(shop, "dois")
        await sleep(shop, 1)
        await marta.post("/conversations/1/reply", body="Aqui é a Marta.", idempotency_key="a")
        await shop.settle()
        await sleep(shop, 1)
        await marta.post("/conversations/1/give-back")
        await sleep(shop, 11)
        await marta.post("/resume")
        await shop.settle()
        await sleep(shop, 180)

        assert shop.sent()[1:] == ["Aqui é a Marta."]
        assert await shop.cards() == []
        assert await shop.column("SELECT suppressed FROM messages ORDER BY id") == [None, "answered elsewhere"]


async def test_nobody_stops_another_organizations_customer(shop: World) -> None:
    """404, as for what is not there; a time that is none is told on the page."""
    await second(shop)

    def florist(tx: Tx) -> None:
        other = tx.organizations.page_of_the_box()[1]
        users.add(tx, other.id, "flora@example.com")

    await shop.appliance.store.write(florist)
    async with Visitor(shop, "flora@example.com") as flora:
        for action in ("pause", "resume"):
            await flora.post(f"/conversations/1/{action}", 404, until="1h")
            await flora.post(f"/conversations/99/{action}", 404, until="1h")
        assert "&#34;18:00&#34;" in await flora.post("/pause", 400, until="soon")
    assert await shop.column("SELECT count(*) FROM pauses") == [0]


async def test_open_pages_hear_of_it(shop: World) -> None:
    """Also of a pause of the whole box, where its user does not see the box, and of an end that comes by itself."""
    await second(shop)
    async with marta_at(shop) as marta, marta.http.get(f"{marta.address}/events") as heard:
        for change in ("pause", "end"):
            if change == "pause":
                await shop.appliance.store.write(lambda tx: tx.pauses.begin("box", None, None, NOON + HOUR, "x"))
            else:
                await sleep(shop, 60)
            await heard.content.readuntil(b"changed")
        assert await shop.column("SELECT ended_at FROM pauses") == [NOON + HOUR]


async def test_a_pause_that_is_over_is_over(shop: World) -> None:
    """Wherever the clock is set afterwards."""
    async with marta_at(shop) as marta:
        await marta.post("/pause", until="1h")
        await sleep(shop, 60)
        assert isinstance(shop.clock, ManualClock)
        shop.clock.jump(-1_800)
        await sleep(shop, 1)
        await say(shop, "dois")

        assert len(shop.sent()) == 2
