"""The pages of conversations: who wrote, what was said, where it came from and whether it arrived."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from appliance.model import HOUR
from appliance.operations.organizations import Registration, register_organization
from appliance.simulator import Fault
from appliance.store import Tx
from tests.support.api_client import api_of
from tests.support.shop import Moody
from tests.support.visitor import Visitor
from tests.support.world import SMS, ManualClock, World
from tests.web.pages.threads_scene import (
    ANA,
    JOAO,
    LIVIA,
    NOON,
    OSVALDO,
    RAFAEL,
    asked,
    burst,
    left,
    minutes,
    say,
    teach,
    undelivered,
    unsure,
)

THEIRS = "+551140000009"


@pytest.fixture
async def bakery(tmp_path: Path) -> AsyncIterator[World]:
    """A world at noon whose time is moved by hand, with a few topics."""
    async with World(tmp_path, clock=ManualClock(NOON), twilio={"catch_up_every": 0}) as world:
        await teach(world)
        yield world


async def thread_of(world: World, address: str) -> str:
    """The path of a customer's page."""
    ids = await world.column(
        "SELECT max(v.id) FROM conversations v JOIN contacts c ON c.id = v.contact_id WHERE c.address = ?", address
    )
    return f"/conversations/{ids[0]}"


class Elements(HTMLParser):
    """How many elements of each name a page has."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[tag] += 1
        self.found.update(f"{tag}[{name}]" for name, _ in attrs)


async def test_a_thread_shows_both_sides(bakery: World) -> None:
    """What came in and what went out, with a link to the topic it came from, and how far it came."""
    await say(bakery, OSVALDO, "", "Qual o horário?")
    async with Visitor(bakery) as visitor:
        listed = await visitor.get("/conversations")
        shown = await visitor.get("/conversations/1")
    assert "Abrimos das 7h" in listed and "+55 11 95555-0147" in listed and ">SMS<" in listed
    assert "Qual o horário?" in shown and "Abrimos das 7h" in shown
    assert 'href="/topics/1"' in shown and f'href="tel:{OSVALDO}"' in shown and "entregue" in shown


async def test_what_nobody_knows_is_said(bakery: World) -> None:
    """A send in doubt says when it is looked up and sent again; a thank-you needs no answer; a photo stays at Twilio."""
    await unsure(bakery)
    async with Visitor(bakery) as visitor:
        shown = await visitor.get(await thread_of(bakery, RAFAEL))
        listed = await visitor.get("/conversations?show=trouble")
        assert "Rafael Souza" in listed and "será que chegou?" in listed
        assert "Não sabemos se chegou." in shown and "é enviada de novo às 12:06" in shown
        assert "Um obrigado não precisa de resposta." in shown
        assert "1 foto" in shown and 'href="https://console.twilio.com"' in shown
        assert "Media" not in shown  # no address of what the customer sent

        bakery.twilio.faults.clear()
        await minutes(bakery, 15)
        assert "é enviada de novo" not in await visitor.get(await thread_of(bakery, RAFAEL))


async def test_whoever_waits_is_listed_so(bakery: World) -> None:
    """A person was asked for: the message waits, in words, under the filter of its own and no other."""
    await asked(bakery)
    async with Visitor(bakery) as visitor:
        waiting = await visitor.get("/conversations?show=waiting")
        assert "João Pedro Lima" in waiting and "espera você" in waiting and ">JP<" in waiting and "áudio" in waiting
        assert "João Pedro Lima" not in await visitor.get("/conversations?show=trouble")
        path = await thread_of(bakery, JOAO)
        shown = await visitor.get(path)
        assert "Espera você." in shown and "Ouvir na Twilio" in shown and "Texto fixo" in shown

        await visitor.post(f"{path}/reply", body="Oi João, aqui é a Marta.", idempotency_key="one")
        await bakery.settle()
        shown = await visitor.get(path)
        assert 'class="msg out me"' in shown and "Você" in shown and "Espera você." not in shown
        assert "João Pedro Lima" in await visitor.get("/conversations?show=yours")
        assert "João Pedro Lima" not in await visitor.get("/conversations?show=waiting")


async def test_what_failed_says_why_and_can_be_tried_again(bakery: World) -> None:
    """Twilio's code in words, and two buttons; what a person wrote stays as well, and is gone when put away."""
    await undelivered(bakery)
    path = await thread_of(bakery, OSVALDO)
    async with Visitor(bakery) as visitor:
        shown = await visitor.get(path)
        assert "Não foi entregue: o celular do cliente estava desligado ou sem sinal." in shown
        assert "Twilio 30003" in shown and "/dead-letters/" in shown
        assert "não chegou" in await visitor.get("/conversations")

        bakery.twilio.faults.add(Fault("create", "error", status=400, code=21211))
        await visitor.post(f"{path}/reply", body="Abrimos às 7h.", idempotency_key="one")
        await bakery.settle()
        shown = await visitor.get(path)
        assert "Não saiu: o número do cliente não é válido." in shown


async def test_who_asked_to_stop_cannot_be_written_to(bakery: World) -> None:
    """The word is an event in the thread; there is no field to write in, but a number to call."""
    await left(bakery)
    async with Visitor(bakery) as visitor:
        shown = await visitor.get(await thread_of(bakery, ANA))
        assert "pediu para não receber mais mensagens" in shown and "VOLTAR" in shown
        assert "<textarea" not in shown and "ligar</a>" in shown
        assert "pediu para parar" in await visitor.get("/conversations")

        await say(bakery, ANA, "Ana Paula Martins", "VOLTAR")
        shown = await visitor.get(await thread_of(bakery, ANA))
        assert "quer receber mensagens de novo" in shown and "<textarea" in shown


async def test_files_are_counted_by_their_kind(bakery: World) -> None:
    """A photo, a document and a video in one message."""
    await burst(bakery)
    async with Visitor(bakery) as visitor:
        shown = await visitor.get(await thread_of(bakery, LIVIA))
        assert "1 foto" in shown and "1 arquivo" in shown and "1 vídeo" in shown


async def test_a_person_is_listed_once_and_the_thread_goes_over_all_time(bakery: World) -> None:
    """A second conversation, days later, adds to the same thread, by whichever of the two it is opened."""
    await say(bakery, OSVALDO, "", "Qual o horário?")
    await bakery.appliance.store.write(_three_days_ago)
    await say(bakery, OSVALDO, "", "Qual o endereço?")
    async with Visitor(bakery) as visitor:
        listed = await visitor.get("/conversations")
        assert listed.count('id="person-') == 1 and "/conversations/2" in listed
        for path in ("/conversations/1", "/conversations/2"):
            shown = await visitor.get(path)
            assert "Qual o horário?" in shown and "Qual o endereço?" in shown
            assert shown.count('class="day"') == 2 and shown.index("horário?") < shown.index("endereço?")


async def test_what_is_older_is_behind_a_link(bakery: World) -> None:
    """Of 120 messages with their answers each is shown once, on the way back to the first."""
    await say(bakery, OSVALDO, "", "Qual o horário?")
    await bakery.appliance.store.write(lambda tx: _again(tx, 120))
    seen: list[str] = []
    path = "/conversations/1"
    async with Visitor(bakery) as visitor:
        while path:
            shown = await visitor.get(path)
            seen += re.findall("(?:Pergunta|Resposta) [0-9]{3}", shown.partition('id="log"')[2])
            path = shown.partition('id="older"><a href="')[2].partition('"')[0].replace("&amp;", "&")
    assert seen[:2] == ["Pergunta 095", "Resposta 095"]
    assert sorted(seen) == [f"{what} {number:03}" for what in ("Pergunta", "Resposta") for number in range(120)]


async def test_the_list_goes_on_behind_a_link(bakery: World) -> None:
    """Thirty-five people are two pages, each of them once."""
    await say(bakery, OSVALDO, "", "Qual o horário?")
    await bakery.appliance.store.write(lambda tx: _others(tx, 34))
    async with Visitor(bakery) as visitor:
        first = await visitor.get("/conversations")
        older = first.partition('wide" href="')[2].partition('"')[0].replace("&amp;", "&")
        second = await visitor.get(older)
    assert (first.count('id="person-'), second.count('id="person-')) == (30, 5)
    assert "wide" not in second


def _three_days_ago(tx: Tx) -> None:
    days = 3 * 24 * HOUR
    tx.sql.run("UPDATE messages SET received_at = received_at - ?", days)
    tx.sql.run("UPDATE outbox SET created_at = created_at - ?", days)
    tx.sql.run("UPDATE conversations SET status = 'closed', updated_at = updated_at - ?", days)


def _again(tx: Tx, count: int) -> None:
    """The only customer asked so often more, and was answered each time."""
    for number in range(count):
        whose: dict[str, Any] = {"organization_id": 1, "channel_id": 1, "contact_id": 1, "conversation_id": 1}
        whose["kind"] = "manual"
        row = tx.outbox.insert(body=f"Resposta {number:03}", **whose)
        tx.outbox.update(row, state="read", created_at=tx.now + 2 * number + 1)
        tx.sql.run(
            "INSERT INTO messages (sid, organization_id, contact_id, conversation_id, body, media, message_type, "
            "parameters, source, received_at, reply_id) VALUES (?, 1, 1, 1, ?, '[]', 'text', '[]', 'webhook', ?, ?)",
            f"SM{number}",
            f"Pergunta {number:03}",
            tx.now + 2 * number,
            row,
        )


def _others(tx: Tx, count: int) -> None:
    """So many more people have a conversation."""
    for number in range(count):
        contact = tx.contacts.ensure(1, f"+55119555502{number:02}")
        tx.conversations.insert(1, 1, contact.id, f"1|{contact.address}", tx.now)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("joao pedro", ["João Pedro Lima"]),
        ("(11) 95555-0147", ["+55 11 95555-0147"]),
        ("95555 0133", ["João Pedro Lima"]),
        ("%2B5511955550133", ["João Pedro Lima"]),
        ("HORARIO", ["+55 11 95555-0147"]),
        ("cartao pix", ["João Pedro Lima"]),
        ("%25", []),
        ("nobody", []),
    ],
)
async def test_search(bakery: World, query: str, found: list[str]) -> None:
    """By name, by number as people type it, by words of either side; case and accents do not matter."""
    await asked(bakery)
    await say(bakery, OSVALDO, "", "Qual o horário?")
    async with Visitor(bakery) as visitor:
        page = await visitor.get(f"/conversations?q={query}")
    assert [name for name in ("João Pedro Lima", "+55 11 95555-0147") if f"<b>{name}</b>" in page] == found


async def test_another_organizations_conversations_are_not_there(bakery: World) -> None:
    """By list, search, thread and API: nothing of the other's, and 404."""
    await asked(bakery)
    second = Registration("Florista", [THEIRS], "f@example.com")
    await bakery.appliance.store.write(lambda tx: register_organization(tx, second))
    bakery.twilio.owned = [*bakery.twilio.owned, THEIRS]
    await bakery.say("Tem rosas?", "+5511955550199", THEIRS)
    await bakery.settle()
    path = await thread_of(bakery, JOAO)
    async with Visitor(bakery, "f@example.com") as visitor:
        for query in ("", "?show=waiting", "?q=joão", "?q=95555-0133", "?q=pagamento"):
            assert "João" not in await visitor.get(f"/conversations{query}"), query
        assert "Tem rosas?" in await visitor.get("/conversations?q=rosas")
        await visitor.get(path, expected=404)
        await visitor.get("/conversations/999", expected=404)
    async with api_of(bakery) as api:
        listed = await api.get("conversations?organization=Florista")
        assert [each["address"] for each in listed["conversations"]] == ["+5511955550199"]
        status, _ = await api.call("GET", f"{path[1:]}?organization=Florista")
        assert status == 404


HOSTILE = 'P"><script>alert(1)</script><img src=x onerror=alert(1)></textarea></title>{{ 7*7 }}{name}%(x)s<!--'


async def test_words_of_others_make_no_element(bakery: World) -> None:
    """Names, bodies, topics and answers that are markup: the pages have the elements that they have with plain words."""
    pages: list[Any] = []
    async with Visitor(bakery) as visitor:
        for words in ("plain", HOSTILE):
            await bakery.appliance.store.write(lambda tx: tx.sql.run("UPDATE contacts SET profile_name = ''"))
            who = f"whatsapp:+55119555501{len(pages):02}"
            await bakery.appliance.store.write(lambda tx: tx.sql.run("DELETE FROM knowledge"))
            await bakery.teach(f"Preço {words}", f"Custa dez. {words}")
            await say(bakery, who, words, f"Qual o preço? {words}")
            await say(bakery, who, words, "SAIR")
            shown = await visitor.get(await thread_of(bakery, who))
            if words == HOSTILE:
                assert "&lt;script&gt;" in shown and "Custa dez." in shown
            pages.append((Elements(shown).found, Elements(await visitor.get("/conversations?q=Qual")).found))
            await bakery.appliance.store.write(lambda tx: tx.sql.run("UPDATE conversations SET is_newest = 0"))
    assert [(one - two, two - one) for one, two in zip(*pages, strict=True)] == [(Counter(), Counter())] * 2


@pytest.mark.parametrize("path", ["/conversations?before=x", "/conversations/1?before=1", "/conversations?show=x"])
async def test_what_cannot_be_read_is_refused_or_left_out(bakery: World, path: str) -> None:
    """A place that no page gave out, a filter that is none."""
    await say(bakery, OSVALDO, "", "Qual o horário?")
    async with Visitor(bakery) as visitor:
        await visitor.get(path, expected=200 if "show" in path else 400)


async def test_the_api_says_the_same(bakery: World) -> None:
    """States as codes, sources by topic, reasons in English; a wrong filter is named."""
    await asked(bakery)
    await undelivered(bakery)
    async with api_of(bakery) as api:
        listed = await api.get("conversations")
        states = {each["address"]: each["state"] for each in listed["conversations"]}
        assert states == {JOAO: "waiting", OSVALDO: "undelivered"}
        assert listed["counts"] == {"waiting": 1, "yours": 0, "trouble": 1}
        shown = await api.get((await thread_of(bakery, OSVALDO))[1:])
        assert [each["direction"] for each in shown["messages"]] == ["in", "out"]
        answer = shown["messages"][1]
        assert (answer["state"], answer["code"]) == ("failed", 30003)
        assert answer["topics"] == [{"title": "Horário", "id": 1}]
        assert answer["why"] == "the customer's phone could not be reached"
        status, told = await api.call("GET", "conversations?show=x")
        assert (status, told["error"]["field"]) == (400, "show")
        assert (await api.call("GET", "conversations/99"))[0] == 404


async def test_nobody_has_written(bakery: World) -> None:
    """An empty list says so, with the way to go live; what is sent from SMS only has no window."""
    async with Visitor(bakery) as visitor:
        assert "Ninguém escreveu ainda." in await visitor.get("/conversations")
        assert 'href="/go-live"' in await visitor.get("/conversations")
        for show, words in (("waiting", "Ninguém espera você."), ("trouble", "Tudo chegou.")):
            assert words in await visitor.get(f"/conversations?show={show}")


async def test_who_was_forgotten_has_no_name(bakery: World) -> None:
    """The row stays, without name, number and words."""
    await say(bakery, OSVALDO, "Seu Osvaldo", "Qual o horário?", ProfileName="Seu Osvaldo")
    async with api_of(bakery) as api:
        await api.post("contacts/forget", {"address": OSVALDO})
    await minutes(bakery, 90)
    async with Visitor(bakery) as visitor:
        shown = await visitor.get("/conversations/1")
        listed = await visitor.get("/conversations")
    assert "Cliente esquecido" in shown and "<textarea" not in shown and SMS not in shown
    assert "Cliente esquecido" in listed and "Osvaldo" not in listed + shown and "0147" not in listed + shown


async def test_what_nobody_could_answer_can_be_tried_again(tmp_path: Path) -> None:
    """The model failed: the friendly text went out, and below the last message are the two buttons, once."""
    async with World(tmp_path, clock=ManualClock(NOON), responder=Moody(), twilio={"catch_up_every": 0}) as world:
        await say(world, OSVALDO, "", "Qual o horário?")
        async with Visitor(world) as visitor:
            shown = await visitor.get("/conversations/1")
            assert "Ninguém conseguiu responder a isto." in shown and shown.count("/retry") == 1
            assert "Texto fixo" in shown
            found = re.search("/dead-letters/[0-9]+/discard", shown)
            assert found is not None
            await visitor.post(found[0], back="/conversations/1")
            assert "/retry" not in await visitor.get("/conversations/1")
