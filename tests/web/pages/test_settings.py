"""/settings: each form changes what it says, is refused in a sentence with what was typed, and reaches nobody else's."""

import json
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest

from appliance.model import TextKey
from appliance.operations import users
from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx
from appliance.texts import TEXTS
from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, ManualClock, World

HOSTILE = "\"><script>alert(1)</script><b onclick='x'>{organization}{{ 7 * 7 }}"
BUSINESS = {"name": "Padaria Sol", "contact": "(11) 5555-0101", "language": "es", "timezone": "Europe/Lisbon"}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with World(tmp_path, language="en") as running:
        yield running


async def organization(world: World) -> dict[str, object]:
    return (await world.rows("SELECT * FROM organizations WHERE id = 1"))[0]


def value(page: str, name: str) -> str:
    found = re.search(rf'<input [^>]*name="{name}"[^>]* value="([^"]*)"', page)
    assert found, name
    return unescape(found[1])


async def emails(world: World) -> list[str]:
    return await world.column("SELECT email FROM users WHERE organization_id = 1 ORDER BY id")


async def test_what_the_business_says_of_itself(world: World) -> None:
    """Name, contact, language and time zone at once, and the manner by itself."""
    async with Visitor(world) as visitor:
        assert await visitor.post("/settings/business", 303, **BUSINESS) == "/settings#business"
        assert await visitor.post("/settings/manner", instructions="Be brief.\r\nSmile.") == "/settings#manner"
        page = await visitor.get("/settings")

    assert BUSINESS.items() <= (await organization(world)).items()
    assert (await organization(world))["instructions"] == "Be brief.\nSmile."
    assert (value(page, "name"), value(page, "contact")) == ("Padaria Sol", "(11) 5555-0101")
    assert "<option selected>Europe/Lisbon</option>" in page
    assert ">Be brief.\nSmile.</textarea>" in page


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": " "}, "The name must have 1 to 100 printable characters."),
        ({"timezone": "Mars/Olympus"}, "&#39;Mars/Olympus&#39; is not a time zone."),
        ({"language": "fr"}, "The language must be one of pt-BR, en, es."),
        ({"contact": "9" * 201}, "The phone of a person must have at most 200 printable characters."),
    ],
)
async def test_a_refusal_keeps_what_was_typed(world: World, wrong: dict[str, str], told: str) -> None:
    """The sentence stands above, nothing has changed."""
    before = await organization(world)
    async with Visitor(world) as visitor:
        page = await visitor.post("/settings/business", 400, **BUSINESS | wrong)

    assert f'<p class="alert" role="alert">{told}</p>' in page
    assert value(page, "contact") == (BUSINESS | wrong)["contact"]
    assert "data-events" not in page
    assert await organization(world) == before


async def test_a_text_is_changed_and_reset(world: World) -> None:
    """In each language; what is refused stays open with what was typed."""
    async with Visitor(world) as visitor:
        to = await visitor.post("/settings/texts", texts="es", key="away", body="Closed, says {organization}.")
        assert to == "/settings?texts=es#text-away"
        page = await visitor.get("/settings?texts=es")
        assert '<span lang="es">Closed, says Padaria Aurora.</span>' in page
        assert "Closed, says" not in await visitor.get("/settings")
        assert await world.column("SELECT language || key FROM texts") == ["esaway"]

        page = await visitor.post("/settings/texts", 400, texts="es", key="away", body="Bye {name}")
        assert 'id="text-away" open>' in page
        assert ">Bye {name}</textarea>" in page
        assert "Braces stand only in {organization} and {contact}." in page

        await visitor.post("/settings/texts", texts="es", key="away", body="x", do="reset")
        assert await world.column("SELECT * FROM texts") == []
        await visitor.post("/settings/texts", 404, texts="es", key="nothing", body="x")


async def test_every_text_can_be_said_otherwise(world: World) -> None:
    """Each key has its fold, with a name of its own in both languages."""
    for language in ("pt-BR", "en"):
        async with Visitor(world) as visitor:
            await visitor.post("/settings/you", speak=language)
            page = await visitor.get("/settings")
        folds = re.findall(r'id="text-(\w+)"[^>]*><summary><b>([^<]+)</b>', page)
        assert {key for key, _ in folds} == set(TextKey)
        assert len({name for _, name in folds}) == len(TextKey)
        assert f'<html lang="{language}">' in page


async def test_hours_by_the_day(world: World) -> None:
    """What is empty is closed; over midnight; several times of a day are kept; always open again."""
    week = {f"{day}-0-from": "08:00" for day in range(5)} | {f"{day}-0-to": "18:00" for day in range(5)}
    async with Visitor(world) as visitor:
        assert "Always open</button>" not in await visitor.get("/settings")
        await visitor.post("/settings/hours", 303, **week, **{"5-0-from": "22:00", "5-0-to": "02:00"})
        kept = json.loads(str((await organization(world))["hours"]))
        assert kept == [[["08:00", "18:00"]]] * 5 + [[["22:00", "02:00"]], []]
        assert value(await visitor.get("/settings"), "5-0-to") == "02:00"

        lunch = week | {"0-0-to": "12:00", "0-1-from": "13:00", "0-1-to": "18:00"}
        await visitor.post("/settings/hours", 303, **lunch)
        page = await visitor.get("/settings")
        assert (value(page, "0-1-from"), page.count('type="time"')) == ("13:00", 16)

        for wrong in ({}, {"0-0-from": "08:00", "0-0-to": ""}, {"0-0-from": "8h", "0-0-to": "18:00"}):
            page = await visitor.post("/settings/hours", 400, **wrong)
            assert value(page, "0-0-from") == wrong.get("0-0-from", "")
        await visitor.post("/settings/hours", do="always")
        assert (await organization(world))["hours"] == "[]"


async def test_a_new_person_gets_a_link_that_is_shown_once(world: World) -> None:
    """It works; who has not come in yet can be given another, who has cannot; nobody becomes an administrator by it."""
    async with Visitor(world) as visitor:
        page = await visitor.post("/settings/users", 200, email="lia@example.com", admin="0")
        link = re.search(r'<code id="new-link">[^<]*(/link/[^<]+)</code>', page)
        assert link
        assert "data-events" not in page
        assert link[1] not in await visitor.get("/settings")
        again = await visitor.post("/settings/users", 200, email="lia@example.com")
        assert link[1] not in again
        await visitor.get(link[1], 410)
        page = await visitor.post("/settings/users", 409, email="owner@example.com")
        assert value(page, "email") == "owner@example.com"
        await visitor.post("/settings/users", 400, email="nobody")
        await visitor.post("/settings/users", 403, email="eve@example.com", admin="1")
    assert await emails(world) == ["dono@example.com", "owner@example.com", "lia@example.com"]
    assert await world.column("SELECT sum(admin) FROM users") == [0]

    async with Visitor(world, "root@example.com", admin=True) as visitor:
        await visitor.post("/settings/users", 200, email="eve@example.com", admin="1")
    assert await world.column("SELECT email FROM users WHERE admin ORDER BY id") == [
        "root@example.com",
        "eve@example.com",
    ]


async def test_people_are_signed_out_and_removed(world: World) -> None:
    """Nobody removes oneself; an administrator is out of reach of who is none."""

    def more(tx: Tx) -> dict[str, int]:
        for name in ("ana", "root"):
            users.add(tx, 1, f"{name}@example.com", admin=name == "root")
            users.sign_in(tx, users.find(tx, f"{name}@example.com"))
        return {user.email: user.id for user in tx.users.of(1)}

    async with Visitor(world) as visitor, Visitor(world) as elsewhere:
        ids = await world.appliance.store.write(more)
        me, ana, root = (ids[f"{name}@example.com"] for name in ("owner", "ana", "root"))
        page = await visitor.get("/settings")
        assert "you, here and in 1 other place" in page
        assert "signed in in 1 place" in page
        await visitor.post(f"/settings/users/{me}/sign-out")
        await elsewhere.get("/settings", 303)
        await visitor.post(f"/settings/users/{ana}/sign-out")
        assert await world.column("SELECT user_id FROM sessions ORDER BY user_id") == sorted([me, root])
        assert "Nobody can remove oneself." in await visitor.post(f"/settings/users/{me}/remove", 409)
        assert f"/settings/users/{root}/" not in page
        await visitor.post(f"/settings/users/{root}/remove", 403)
        await visitor.post(f"/settings/users/{root}/sign-out", 403)
        await visitor.post(f"/settings/users/{ana}/remove")
        assert await emails(world) == ["dono@example.com", "owner@example.com", "root@example.com"]
        await visitor.post(f"/settings/users/{ana}/remove", 404)

        assert await visitor.post("/settings/sign-out") == "/sign-in"
        await visitor.get("/settings", 303)


async def test_everything_about_a_customer_as_a_file(world: World) -> None:
    """What the customer said and heard; of nobody known a sentence."""
    await world.say("oi, quero pão")
    await world.settle()
    async with Visitor(world) as visitor:
        origin = {"Origin": visitor.address}
        form = {"address": CUSTOMER}
        async with visitor.http.post(f"{visitor.address}/settings/export", data=form, headers=origin) as response:
            assert response.headers["Content-Disposition"] == 'attachment; filename="person.json"'
            told = await response.json()
        assert "oi, quero pão" in told["transcript"]
        assert told["person"]["addresses"] == [CUSTOMER]
        page = await visitor.post("/settings/export", 400, address="+5511900000000")
        assert "Nothing is held about this address." in page
        assert value(page, "address") == "+5511900000000"
        await visitor.post("/settings/export", 400, address="")
        await visitor.post("/settings/forget", 400, address="+5511900000000")


async def test_a_customer_is_forgotten(world: World) -> None:
    """The list says so, without saying who."""
    await world.say("oi, quero pão")
    await world.settle()
    async with Visitor(world) as visitor:
        assert await visitor.post("/settings/forget", address=CUSTOMER) == "/settings#customers"
        await world.settle()
        page = await visitor.get("/settings")

    assert await world.column("SELECT body FROM messages") == [""]
    assert await world.column("SELECT requested_by FROM forgettings") == ["owner@example.com"]
    assert "by owner@example.com · is forgotten" in page
    assert CUSTOMER not in page


async def test_who_may_be_the_same_customer_is_asked_about(world: World) -> None:
    """Another form of the address is forgotten only where it was chosen, for the address that was asked about."""
    old = CUSTOMER.replace("+55119", "+5511")  # as it was before numbers in Brazil had a ninth digit
    for address in (CUSTOMER, old):
        await world.say("oi", address)
        await world.settle()
    async with Visitor(world) as visitor:
        page = await visitor.post("/settings/forget", 409, address=CUSTOMER)
        assert f'value="{old}"' in page
        await visitor.post("/settings/forget", 409, address=CUSTOMER, asked=old)
        assert await world.column("SELECT count(*) FROM forgettings") == [0]
        await visitor.post("/settings/forget", 303, **{"address": CUSTOMER, "asked": CUSTOMER, "also-1": old})
        await world.settle()
    assert await world.column("SELECT count(*) FROM forgettings") == [2]


async def test_nothing_is_another_organizations(world: World) -> None:
    """Its user, its customer, its forgettings, its texts."""
    second = Registration("Florista", ["+551140000009"], "f@example.com")

    def make(tx: Tx) -> int:
        other = register_organization(tx, second)
        tx.texts.put(other, "pt-BR", "greeting", "Oi da Florista")
        return tx.users.of(other)[0].id

    theirs = await world.appliance.store.write(make)
    world.twilio.owned = [*world.twilio.owned, "+551140000009"]
    await world.say("oi", CUSTOMER, "+551140000009")
    await world.settle()
    async with Visitor(world) as visitor:
        await visitor.post(f"/settings/users/{theirs}/remove", 404)
        await visitor.post(f"/settings/users/{theirs}/sign-out", 404)
        await visitor.post("/settings/users", 409, email="f@example.com")
        await visitor.post("/settings/export", 400, address=CUSTOMER)
        await visitor.post("/settings/forget", 400, address=CUSTOMER)
        page = await visitor.get("/settings")
        assert "f@example.com" not in page
        assert "Florista" not in page
        assert "/engine" not in page
    assert await world.column("SELECT count(*) FROM forgettings") == [0]


async def test_hostile_words_stay_words(world: World) -> None:
    """In a name, a contact, a text, the instructions and a refused form."""

    def make(tx: Tx) -> None:
        tx.organizations.update(1, name=HOSTILE, contact=HOSTILE, instructions=f"</textarea>{HOSTILE}")
        tx.texts.put(1, "en", "away", f"</textarea>{HOSTILE}")
        users.add(tx, 1, "<script>alert(1)</script>@example.com")

    await world.appliance.store.write(make)
    async with Visitor(world) as visitor:
        pages = [
            await visitor.get("/settings"),
            await visitor.post("/settings/business", 400, **BUSINESS | {"name": HOSTILE * 9}),
            await visitor.post("/settings/texts", 400, texts=HOSTILE, key=HOSTILE, body=HOSTILE),
            await visitor.post("/settings/hours", 400, **{"0-0-from": HOSTILE}),
        ]
    for page in pages:
        assert page.count("<script") == 1
        assert "<b onclick" not in page
        assert "49" not in re.sub(r"[0-9a-f]{12}|[A-Z]{2}[0-9a-f]{32}", "", page)


async def test_the_originals_are_what_the_page_shows(world: World) -> None:
    """With the name filled in, and with its gap where it is written."""
    async with Visitor(world) as visitor:
        page = unescape(await visitor.get("/settings?texts=es"))

    assert TEXTS["es"][TextKey.GREETING] in page
    assert TEXTS["es"][TextKey.GREETING].format(organization="Padaria Aurora") in page


async def test_home_tells_who_waits_until_opening(tmp_path: Path) -> None:
    """With the words of the customer, what was promised and for when; it is not urgent yet."""
    noon = 1_800_025_200_000  # a Friday, in São Paulo
    async with World(tmp_path, language="en", clock=ManualClock(noon)) as world, Visitor(world) as visitor:
        await visitor.post("/settings/hours", 303, **{"0-0-from": "08:00", "0-0-to": "18:00"})
        await world.say("AGENT")
        await world.clock.advance(5, world.settle)  # type: ignore[union-attr]
        assert world.sent() == [TEXTS["en"][TextKey.AWAY]]

        page = await visitor.get("/")

        assert "was told that you are closed now and answer when you open (18 Jan 08:00)" in page
        assert "AGENT" in page
