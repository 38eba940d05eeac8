"""A person takes over, answers by hand and gives back, on the page of a conversation; what is refused is a sentence."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from appliance.model import HOUR, Handover, JobKind
from appliance.operations.organizations import Registration, register_organization
from appliance.simulator import Fault
from tests.handover.test_hand_back import handed_over, say
from tests.support.api_client import api_of
from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, WHATSAPP, World, sleep

HERE = "/conversations/1"
ANA = "ana@example.com"
HOURS = "Abrimos das 7h às 19h."


@asynccontextmanager
async def ana_at(world: World) -> AsyncIterator[Visitor]:
    """Signed in, with pages in English."""
    async with Visitor(world, ANA) as ana:
        await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE users SET language = 'en'"))
        yield ana


async def events(world: World) -> list[tuple[str, str]]:
    rows = await world.rows("SELECT what, who FROM handover_events ORDER BY id")
    return [(row["what"], row["who"]) for row in rows]


async def test_whoever_writes_by_hand_takes_over_until_it_is_given_back(tmp_path: Path) -> None:
    """The customer who asked is answered: silence, no card, the page says so; given back, the assistant answers."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await world.teach("Horário", HOURS)
        await say(world, "ATENDENTE")
        await say(world, "Qual o horário?")
        assert "asked for a person" in await ana.get(HERE)
        assert await ana.post(f"{HERE}/reply", body="Aqui é a Ana.\r\nAté as 19h.", idempotency_key="a") == HERE
        await world.settle()
        page = await ana.get(HERE)
        assert "You are answering." in page and "You took over." in page
        assert world.sent()[1:] == ["Aqui é a Ana.\nAté as 19h."]
        assert await world.cards() == []

        await sleep(world, 1)
        await say(world, "Qual o horário?")
        assert len(world.sent()) == 2
        assert await ana.post(f"{HERE}/give-back") == HERE
        await world.settle()

        assert world.sent()[2:] == [HOURS]
        assert "The assistant answers again." in await ana.get(HERE)
        told = [("asked", ""), ("taken", ANA), ("asked_back", ANA), ("given_back", ANA)]
        assert await events(world) == told


async def test_taking_over_is_no_word(tmp_path: Path) -> None:
    """What waits goes on waiting, and its card stays, until a person says something; what comes in waits as well."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await world.teach("Horário", HOURS)
        await say(world, "ATENDENTE")
        await say(world, "Qual o horário?")
        await ana.post(f"{HERE}/take")
        await sleep(world, 179)
        assert await world.cards() == ["waiting"]
        assert await world.column("SELECT suppressed FROM messages ORDER BY id") == [None, "a person is in charge"]

        await sleep(world, 2)
        await ana.post(f"{HERE}/give-back")
        await world.settle()

        assert await world.dispositions() == ["answered", "dead"]  # three hours old
        assert sorted(await world.cards()) == ["too_late", "waiting"]


async def test_what_waits_for_an_answer_when_somebody_takes_over_waits_for_that_person(tmp_path: Path) -> None:
    """The draft that Twilio did not take yet is withdrawn, and a card tells of its question."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await world.teach("Horário", HOURS)
        world.twilio.faults.add(Fault("create", "error", status=429, code=20429, retry_after=30, times=None))
        await say(world, "Qual o horário?")
        await ana.post(f"{HERE}/take")
        world.twilio.faults.clear()
        await sleep(world, 2)

        assert world.sent() == []
        assert await world.cards() == ["waiting"]
        assert await world.column("SELECT handover FROM contacts") == ["taken"]


async def test_a_form_that_is_sent_twice_is_one_message(tmp_path: Path) -> None:
    """And one that a browser shows again with another text is another one."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await say(world, "Oi")
        for body in ("Bom dia", "Bom dia", "Até logo"):
            await ana.post(f"{HERE}/reply", body=body, idempotency_key="k")
        await world.settle()

        assert world.sent()[1:] == ["Bom dia", "Até logo"]
        await ana.post(f"{HERE}/reply", 400, body="Bom dia")
        await ana.post(f"{HERE}/reply", 400, body="Bom dia", idempotency_key="k" * 300)


@pytest.mark.parametrize(("body", "status", "told"), [("  ", 400, "The body is empty."), ("a" * 1_601, 400, "1601")])
async def test_what_cannot_be_sent_is_refused_in_a_sentence(tmp_path: Path, body: str, status: int, told: str) -> None:
    """At once, with the text that was typed; nobody has taken over by it."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await say(world, "Oi")
        page = await ana.post(f"{HERE}/reply", status, body=body, idempotency_key="k")

        assert told in page
        assert 'role="alert"' in page and "data-events" not in page
        assert body in page
        assert await world.column("SELECT handover FROM contacts") == [None]


async def test_nobody_writes_to_who_left_nor_beyond_whatsapps_window(tmp_path: Path) -> None:
    """409 with the reason; what was written before is looked at once more where it is sent."""
    async with handed_over(tmp_path, expire_after=72 * HOUR) as world, ana_at(world) as ana:
        await world.say("Oi", f"whatsapp:{CUSTOMER}", WHATSAPP)
        await world.settle()
        world.twilio.faults.add(Fault("create", "error", status=429, code=20429, retry_after=30, times=None))
        await ana.post(f"{HERE}/reply", body="Olá", idempotency_key="k")
        await sleep(world, 25 * 60)
        page = await ana.post(f"{HERE}/reply", 409, body="Ainda aí?", idempotency_key="l")
        assert "within 24 hours" in page and "Ainda aí?" in page
        world.twilio.faults.clear()
        await sleep(world, 2)
        assert await world.column("SELECT state FROM outbox WHERE kind = 'manual'") == ["failed"]

        await say(world, "Oi")
        await say(world, "SAIR")
        page = await ana.post("/conversations/2/reply", 409, body="Olá", idempotency_key="m")
        assert "asked for no more messages" in page


async def test_the_api_takes_over_and_answers(tmp_path: Path) -> None:
    """`take` and `reply`; the same key is the same message, with another text it is refused."""
    async with handed_over(tmp_path) as world, api_of(world) as api:
        await say(world, "Oi")
        assert await api.post("conversations/1/take") == (200, {"id": 1, "state": "taken"})
        body = {"body": "Olá", "idempotency_key": "k"}
        assert (await api.post("conversations/1/reply", body))[0] == 202
        assert (await api.post("conversations/%2B5511988887777/reply", body))[1]["id"] == 2
        await world.settle()
        assert (await api.post("conversations/1/reply", body | {"body": "Não"}))[0] == 409
        assert (await api.post("conversations/9/reply", body))[0] == 404
        assert (await api.post("conversations/1/reply", {"body": " "}))[0] == 400

        assert world.sent()[1:] == ["Olá"]
        assert await events(world) == [("taken", "api")]


async def test_a_failed_answer_is_tried_again_from_its_thread(tmp_path: Path) -> None:
    """Or discarded; the browser goes back to where it was asked for, and nowhere else."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await say(world, "Oi")
        for key, word in (("a", "retry"), ("b", "discard")):
            world.twilio.faults.add(Fault("create", "error", status=400, code=21610))
            await ana.post(f"{HERE}/reply", body="Olá", idempotency_key=key)
            await world.settle()
            await world.appliance.store.write(lambda tx: tx.contacts.opt_in(1))
            (letter,) = await world.column("SELECT id FROM message_queue WHERE status = 'dead'")
            page = await ana.get(HERE)
            assert f"/dead-letters/{letter}/{word}" in page
            back = await ana.post(f"/dead-letters/{letter}/{word}", back=HERE)
            await world.settle()
            assert back == HERE
            assert await world.column("SELECT count(*) FROM message_queue WHERE status = 'dead'") == [0]
            assert "Open it again" not in await ana.post(f"/dead-letters/{letter}/{word}", 409, back="//evil.example")

        assert world.sent()[1:] == ["Olá"]


async def test_a_card_is_put_away_with_a_word_why(tmp_path: Path) -> None:
    """Without one it is refused; whatever `back` says, the browser stays here."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await say(world, "ATENDENTE")
        (card,) = await world.column("SELECT id FROM cards WHERE kind = 'waiting'")
        assert "at most 500" in await ana.post(f"/cards/{card}/dismiss", 400, reason=" ")
        assert await ana.post(f"/cards/{card}/dismiss", reason="liguei", back="https://evil.example/") == "/"
        assert await world.column("SELECT dismissed FROM cards WHERE kind = 'waiting'") == ["liguei"]


async def test_nobody_touches_what_is_another_organizations(tmp_path: Path) -> None:
    """404, as if it were not there; nothing has happened."""
    async with handed_over(tmp_path) as world, ana_at(world) as ana:
        await say(world, "ATENDENTE")
        (card,) = await world.column("SELECT id FROM cards WHERE kind = 'waiting'")
        letter = await world.appliance.store.write(_bury)

        def move(tx):  # type: ignore[no-untyped-def]
            other = register_organization(tx, Registration("Florista", ["+551140000009"], "f@example.com"))
            tx.users.update(tx.users.named(ANA).id, organization_id=other)

        await world.appliance.store.write(move)
        form = {"body": "Oi", "idempotency_key": "k", "reason": "x"}
        for path in (f"{HERE}/take", f"{HERE}/reply", f"{HERE}/give-back", f"/cards/{card}/dismiss",
                     f"/dead-letters/{letter}/retry", f"/dead-letters/{letter}/discard"):  # fmt: skip
            await ana.post(path, 404, **form)

        assert await world.column("SELECT handover FROM contacts") == [Handover.ASKED]
        assert await events(world) == [("asked", "")]
        assert await world.cards() == ["waiting"]


def _bury(tx) -> int:  # type: ignore[no-untyped-def]
    tx.jobs.bury(JobKind.REPLY, "1|x", "gone", None, conversation=1, messages=[])
    return int(tx.sql.value("SELECT max(id) FROM message_queue"))


def test_the_forms_of_the_page_say_what_they_are() -> None:
    """Each is a POST to a path of ours and has a button with words."""
    source = Path("appliance/web/templates/hands.html").read_text("utf-8")
    forms = re.findall(r'<form id="[a-z-]+" method="post" action="(/[^"]+)"><button class="btn">\{\{ t\(', source)
    assert len(forms) == source.count("<form")
