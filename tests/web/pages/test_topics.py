"""The pages of topics: what it knows, what a customer would be told, what nobody knew, and teaching it."""

import re
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx
from tests.support.fake_ai import FakeAi
from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, World

HOURS = "Abrimos das 7h às 19h."
SUGAR = "Vocês fazem bolo sem açúcar?"
ANSWER = "Fazemos bolo sem açúcar sob encomenda, por R$ 80,00."
OTHER = "+5511988886666"


@pytest.fixture
async def owner(world: World) -> AsyncIterator[Visitor]:
    """Looks in English at a bakery that knows two things."""
    await world.teach("Horário", HOURS)
    await world.teach("Entrega", "Entregamos no Centro e na Vila Nova, de segunda a sábado.\nTaxa: R$ 8,00.")
    async with Visitor(world) as visitor:
        await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE users SET language = 'en'"))
        yield visitor


async def ask(world: World, *messages: str, sender: str = CUSTOMER) -> None:
    for message in messages:
        await world.say(message, sender)
        await world.settle()


def text(html: str) -> str:
    """Without tags, spaces folded; what stands within a sentence parts no words."""
    within = re.sub(r"</?(?:a|b|mark|span)\b[^>]*>", "", html.partition("<main")[2])
    return " ".join(re.sub(r"<[^>]*>", " ", within).split())


async def test_the_list(owner: Visitor) -> None:
    """Each topic with how often it answered this week, those that answered most first; what nobody knew on top."""
    world = owner.world
    await ask(world, "Vocês entregam?", "Vocês entregam na Vila Nova?", SUGAR)
    await ask(world, "BOLO sem acucar, vocês fazem", "E a senha do wifi?", sender=OTHER)

    page = text(await owner.get("/topics"))

    assert "2 topics answers this week Entrega 2 Entregamos no Centro" in page
    assert page.index("Entrega 2") < page.index("Horário 0")
    assert "“BOLO sem acucar, vocês fazem” 2 times by 2 people, last today" in page
    assert "“E a senha do wifi?” once, today" in page


async def test_calm(world: World) -> None:
    """Nothing asked in vain, nothing known: sentences, in the same regions."""
    async with Visitor(world) as visitor:
        html = await visitor.get("/topics")

    assert all(f'id="{region}" data-live' in html for region in ("unanswered", "topics"))
    assert 'id="asked-none"' in html and 'id="topic-none"' in html


async def test_why_a_topic_answers(owner: Visitor) -> None:
    """The answer as the customer would read it, the topic, the words that it holds, scores of 100."""
    html = await owner.get(f"/topics?q={quote('Vocês entregam sábado na Vila Nova?')}")

    page = text(html)
    assert "Entregamos no Centro e na Vila Nova, de segunda a sábado. Taxa: R$ 8,00. Topic: Entrega" in page
    assert re.findall(r'<mark lang="pt-BR">([^<]*)</mark>', html) == ["entregam sábado", "Vila Nova"]
    assert "A topic answers from 60 of 100." in page
    assert '>Entrega</b><b class="good">100</b>' in html
    assert await owner.world.rows("SELECT * FROM outbox") == []


async def test_nobody_knows(owner: Visitor) -> None:
    """The text as it is sent, the closest topic, the word that is nowhere in it, and a button to teach it."""
    page = text(await owner.get(f"/topics?q={quote('Tem pizza no centro?')}"))

    assert "Não tenho essa informação." in page and "No topic answers this" in page
    assert "Closest was Entrega, with 50. A topic answers from 60 of 100: “pizza” is nowhere in it." in page
    assert "Teach this" in page


@pytest.mark.parametrize(
    ("question", "told"),
    [("Oi", "It greets back."), ("quero falar com um atendente", "A person is asked for."),
     ("obrigado", "Nothing is sent: this needs no answer."), ("x" * 1_601, "1 to 1600 characters")],
)  # fmt: skip
async def test_what_is_no_question(owner: Visitor, question: str, told: str) -> None:
    """A greeting, thanks, a wish for a person, too much: each says what comes of it."""
    status = 400 if len(question) > 1_600 else 200
    assert told in text(await owner.get(f"/topics?q={quote(question)}", status))


async def test_a_menu(owner: Visitor) -> None:
    """Where it is not sure it shows the menu that the customer would get."""
    await owner.world.teach("Mesa para festas", "Alugamos mesas para festas.")
    await owner.world.teach("Mesa para escritório", "Vendemos mesas para escritório.")

    page = text(await owner.get(f"/topics?q={quote('quanto custa a mesa?')}"))

    assert "1) Mesa para" in page and "2) Mesa para" in page
    assert "It is not sure, and asks which topic is meant." in page
    assert "More than one topic comes near: it asks rather than guess." in page


async def test_a_model_is_asked_on_a_button_alone(world: World, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The test box costs nothing; the button says what it costs and asks once; the page reads itself again for free."""
    model = FakeAi()
    model.answer = "O modelo diz: às 7h."
    async with World(tmp_path_factory.mktemp("llm"), model=model) as shop, Visitor(shop) as visitor:
        await shop.appliance.store.write(lambda tx: tx.sql.run("UPDATE users SET language = 'en'"))
        await shop.teach("Horário", HOURS)
        page = text(await visitor.get(f"/topics?q={quote('Qual o horário?')}"))
        assert HOURS in page and "Ask the model too" in page and len(model.requests) == 0
        page = text(await visitor.post("/topics/test", 200, q="Qual o horário?"))
        assert "O modelo diz: às 7h." in page and "Written by the model fake" in page and len(model.requests) == 1
        await visitor.get("/topics/test")
        assert len(model.requests) == 1


async def test_taught_it_is_answered(owner: Visitor) -> None:
    """From the list of what nobody knew to the customer who asks again: the answer is the new topic's."""
    world = owner.world
    await ask(world, SUGAR)
    listed = await owner.get("/topics")
    link = re.search(r'href="(/topics/new\?unanswered=\d+)"', listed)
    assert link
    form = await owner.get(link[1])
    assert "One person asked “Vocês fazem bolo sem açúcar?” and got no answer." in text(form)
    title, aliases = (
        re.search(r'name="title"[^>]*value="([^"]*)"', form),
        re.search(r"name=\"aliases\".*?>\n(.*?)</", form, re.DOTALL),
    )
    assert title and aliases and aliases[1] == "Vocês fazem bolo sem açúcar"

    to = await owner.post("/topics", title=title[1], body=ANSWER, aliases=aliases[1], question=SUGAR)

    assert to.startswith("/topics?q=") and to.endswith("#test")
    page = text(await owner.get(to.partition("#")[0]))
    assert ANSWER in page and "Every question had an answer." in page
    await ask(world, "oi, vocês fazem bolo sem acucar??", sender=OTHER)
    assert world.sent(OTHER)[-1] == ANSWER
    assert await world.column("SELECT changed_by FROM knowledge ORDER BY id DESC LIMIT 1") == [owner.email]
    assert "1 topic" not in page and title[1] in page


@pytest.mark.parametrize("question", [
    "Tem estacionamento?", "Posso levar meu cachorro aí na padaria?", "Qual a senha do wi-fi???",
    "Vcs fazem torta p/ diabético", "Boa tarde! Tudo bem? Queria saber se tem opção vegana, por favor. Obrigada!",
    "gostaria de saber se voces aceitam encomendas de salgadinhos para festas de aniversario infantil com cem pessoas",
    "Do you sell gift cards?",
])  # fmt: skip
async def test_any_question_is_hit_by_its_own_words(owner: Visitor, question: str) -> None:
    """With what the page proposes, and an answer in other words, the same question is answered."""
    form = await owner.get(f"/topics/new?question={quote(question)}")
    title, aliases = (
        re.search(r'name="title"[^>]*value="([^"]*)"', form),
        re.search(r"name=\"aliases\".*?>\n(.*?)</", form, re.DOTALL),
    )
    assert title and aliases and title[1]
    await owner.post("/topics", title=title[1], body="Resposta nova.", aliases=aliases[1], question=question)
    await ask(owner.world, question)

    assert owner.world.sent()[-1] == "Resposta nova."


async def test_who_waits_is_told(owner: Visitor) -> None:
    """The third question in a row promised a person: taught, it goes to that customer, and nobody waits any more."""
    world = owner.world
    await ask(world, "Tem piscina?", "Tem sauna?", SUGAR)
    assert await world.cards() == ["waiting"]
    await world.say(SUGAR, OTHER, extra={"ProfileName": "Dona Neide"})
    await world.settle()
    group = (await world.column("SELECT max(id) FROM unanswered"))[0]
    form = await owner.get(f"/topics/new?unanswered={group}")
    assert re.findall(r'name="(tell-\d+)" checked', form) == ["tell-1"]
    assert "Also send it to +55 11 98888-7777, who is waiting" in text(form)

    ticked: dict[str, Any] = {"tell-1": "on", "tell-2": "on"}
    for _ in range(2):
        await owner.post(
            "/topics", title="Bolo sem açúcar", body=ANSWER, aliases="", question=SUGAR, **ticked
        )  # fmt: skip
        await world.settle()

    assert world.sent()[-1] == ANSWER and world.sent().count(ANSWER) == 1
    assert ANSWER not in world.sent(OTHER)
    assert await world.cards() == []
    assert await world.column("SELECT intended_by FROM outbox WHERE kind = 'manual'") == [owner.email]


async def test_a_form_of_somebody_elses_making(owner: Visitor) -> None:
    """Fields that are no customer's tell nobody; no question is longer than one that the page shows, however much of it
    is sent: what is taught is compared with it while everybody's messages wait to be stored.
    """
    world = owner.world
    await ask(world, SUGAR)
    odd: dict[str, Any] = {"abcde1": "on", "tell-x1": "on", "tell-\u00b2": "on", f"tell-{'9' * 30}": "on"}
    question = f"{SUGAR}{' ' * 1_600}{'outra coisa ' * 10_000}"

    await owner.post("/topics", title="Bolo sem açúcar", body=ANSWER, aliases="", question=question, **odd)

    assert None not in await world.column("SELECT settled_at FROM unanswered")
    assert ANSWER not in world.sent()


async def test_who_was_told_by_a_topic_that_is_gone_is_told_by_the_next(owner: Visitor) -> None:
    """A topic that was deleted leaves its number to the one that is written next: teaching that one goes as ever."""
    world = owner.world
    ticked: dict[str, Any] = {"tell-1": "on"}
    for title, answer in (("Bolo sem açúcar", ANSWER), ("Sem açúcar", "Às sextas, sim.")):
        await ask(world, "Tem piscina?", "Tem sauna?", SUGAR)
        await owner.post("/topics", title=title, body=answer, aliases="", question=SUGAR, **ticked)
        await world.settle()
        assert world.sent()[-1] == answer
        (newest,) = await world.column("SELECT max(id) FROM knowledge")
        await owner.post(f"/topics/{newest}/delete")
        await owner.post("/conversations/1/give-back")
        await world.settle()


async def test_who_cannot_be_written_to_is_not_offered(owner: Visitor) -> None:
    """Somebody waits and asked for no more messages: nothing to tick, and ticked all the same nothing is sent."""
    world = owner.world
    await ask(world, "Tem piscina?", "Tem sauna?", SUGAR)
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE contacts SET opted_out_at = 1"))
    group = (await world.column("SELECT max(id) FROM unanswered"))[0]
    assert "tell-" not in await owner.get(f"/topics/new?unanswered={group}")

    ticked: dict[str, Any] = {"tell-1": "on"}
    await owner.post("/topics", title="Bolo sem açúcar", body=ANSWER, aliases="", question=SUGAR, **ticked)
    await world.settle()

    assert ANSWER not in world.sent()


async def test_not_needed(owner: Visitor) -> None:
    """Put away, all of the same words are gone; asked again it is there again; it is nobody else's button."""
    world = owner.world
    await ask(world, SUGAR)
    await ask(world, SUGAR, sender=OTHER)
    group = (await world.column("SELECT max(id) FROM unanswered"))[0]

    assert await owner.post(f"/topics/unanswered/{group}/put-away") == "/topics"

    assert SUGAR not in await owner.get("/topics")
    assert await owner.post(f"/topics/unanswered/{group}/put-away") == "/topics"  # from a page that is old
    await ask(world, "Bolo sem açúcar?", sender="+5511977770000")
    assert "Bolo sem açúcar?" in await owner.get("/topics")


async def test_changed_and_renamed(owner: Visitor) -> None:
    """Text, names and title; what it answered under its old name, it answered; who changed it is told."""
    world = owner.world
    await ask(world, "Vocês entregam?", "Entregam na Vila Nova?")
    html = await owner.get("/topics/2")
    assert "It answered 2 times this week" in text(html)
    assert "“Entregam na Vila Nova?” “Vocês entregam?”" in text(html)
    version = re.search(r'name="version" value="([^"]*)"', html)
    assert version

    wanted: dict[str, Any] = {
        "title": "Delivery",
        "body": "Entregamos tudo.\r\nSempre.",
        "aliases": "entrega\r\nfrete\r\n",
    }
    assert await owner.post("/topics/2", version=version[1], **wanted) == "/topics"

    rows = await world.rows("SELECT title, body, aliases, changed_by FROM knowledge WHERE id = 2")
    assert rows == [{"title": "Delivery", "body": "Entregamos tudo.\nSempre.", "aliases": "entrega\nfrete",
                     "changed_by": owner.email}]  # fmt: skip
    page = text(await owner.get("/topics/2"))
    assert "It answered 2 times this week" in page and f"changed today by {owner.email}" in page
    assert "2 answers came from it this week." in page


async def test_preview_saves_nothing(owner: Visitor) -> None:
    """Without JavaScript a button shows how it looks, without Markdown, and keeps what was typed."""
    for path in ("/topics/2", "/topics"):
        html = await owner.post(path, 200, do="preview", title="Frete", body="**Grátis** no Centro.", aliases="")
        assert re.search(r'id="shown"[^>]*>Grátis no Centro.<', html)
        assert "**Grátis** no Centro.</textarea>" in html and 'value="Frete"' in html

    assert await owner.world.column("SELECT title FROM knowledge ORDER BY id") == ["Horário", "Entrega"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"title": " ?! "}, "The topic needs a name."), ({"title": "T" * 201}, "The name of the topic is too long."),
     ({"body": " \r\n "}, "Write what the customer reads."), ({"body": "á" * 9_000}, "The answer is too long."),
     ({"aliases": "a" * 61}, "Up to 20 other names"), ({"aliases": "\n".join("abcdefghijklmnopqrstuvw")}, "Up to 20"),
     ({"title": "HORARIO"}, "this name")],
)  # fmt: skip
async def test_refused_in_a_sentence(owner: Visitor, wrong: dict[str, str], told: str) -> None:
    """On the same page, with everything that was typed; a name is taken whatever its case and accents."""
    good: dict[str, Any] = {"title": "Frete", "body": "Grátis.", "aliases": "taxa"}
    version = re.search(r'name="version" value="([^"]*)"', await owner.get("/topics/2"))
    assert version
    for path in ("/topics", "/topics/2"):
        html = await owner.post(path, 400, version=version[1], **good | wrong)
        assert told in text(html) and 'role="alert"' in html
        assert "Grátis." in html or "body" in wrong
        assert 'value="Frete"' in html or "title" in wrong
    assert await owner.world.column("SELECT title FROM knowledge ORDER BY id") == ["Horário", "Entrega"]


async def test_two_at_once(owner: Visitor) -> None:
    """Who saves over another's words is told first, sees them, and may then do so; the same words disturb nobody."""
    version = re.search(r'name="version" value="([^"]*)"', await owner.get("/topics/2"))
    assert version
    first: dict[str, Any] = {"title": "Entrega", "body": "Palavras de Marta.", "aliases": ""}
    second: dict[str, Any] = {"title": "Entrega", "body": "Palavras de Ana.", "aliases": ""}
    await owner.post("/topics/2", version=version[1], **first)
    await owner.post("/topics/2", version=version[1], **first)

    html = await owner.post("/topics/2", 409, version=version[1], **second)

    assert "Somebody changed this topic while you wrote." in text(html)
    assert "Palavras de Ana.</textarea>" in html and "What is stored now Palavras de Marta." in text(html)
    again = re.search(r'name="version" value="([^"]*)"', html)
    assert again and again[1] != version[1]
    await owner.post("/topics/2", version=again[1], **second)
    assert await owner.world.column("SELECT body FROM knowledge WHERE id = 2") == ["Palavras de Ana."]


async def test_deleted(owner: Visitor) -> None:
    """It is forgotten at once, and not found any more; what it answered harms nobody."""
    await ask(owner.world, "Vocês entregam?")
    assert await owner.post("/topics/2/delete") == "/topics"

    await owner.get("/topics/2", 404)
    await owner.post("/topics/2/delete", 404)
    await ask(owner.world, "Vocês entregam?")
    assert owner.world.sent()[-1].startswith("Não tenho essa informação")
    assert "1 topic " in text(await owner.get("/topics"))


async def test_walls(owner: Visitor) -> None:
    """Another organization's topics and questions are not there: not read, changed, deleted, taught or put away."""
    world = owner.world
    second = Registration("Florista", ["+551140000009"], "f@example.com")

    def register(tx: Tx) -> None:
        other = register_organization(tx, second)
        tx.knowledge.put(other, "Rosas", "Vermelhas.")
        contact = tx.contacts.ensure(1, "+5511900000001").id
        conversation = tx.sql.insert(
            "conversations", organization_id=1, channel_id=1, contact_id=contact, session_key="x", status="closed",
            version=0, created_at=0, updated_at=0, expires_at=0,
        )  # fmt: skip
        message = tx.sql.insert(
            "messages", organization_id=1, contact_id=contact, conversation_id=conversation, sid="SMx", body="Rosas?",
            received_at=0, media="[]", parameters="[]", source="webhook", message_type="text",
        )  # fmt: skip
        tx.unanswered.note(other, contact, message, "rosas", "Tem rosas azuis?")

    await world.appliance.store.write(register)
    topic = (await world.column("SELECT max(id) FROM knowledge"))[0]
    question = (await world.column("SELECT max(id) FROM unanswered"))[0]
    form: dict[str, Any] = {"title": "Meu", "body": "Meu.", "aliases": "", "version": ""}

    page = await owner.get("/topics")
    assert "Rosas" not in page and "rosas azuis" not in page
    await owner.get(f"/topics/{topic}", 404)
    await owner.post(f"/topics/{topic}", 404, **form)
    await owner.post(f"/topics/{topic}", 404, do="preview", **form)
    await owner.post(f"/topics/{topic}/delete", 404)
    await owner.get(f"/topics/new?unanswered={question}", 404)
    await owner.post(f"/topics/unanswered/{question}/put-away", 404)
    await owner.post("/topics", question="Tem rosas azuis?", **form)
    assert await world.column("SELECT title FROM knowledge WHERE id = ?", topic) == ["Rosas"]
    assert await world.column("SELECT settled_at FROM unanswered WHERE id = ?", question) == [None]


PAYLOADS = [
    template.format(word)
    for word in ("script", "img src=x onerror=alert(1)", "svg onload=alert(1)", "iframe", "a href=javascript:alert(1)",
                 "style", "base href=//x", "form action=//x", "textarea", "title")
    for template in ("<{0}>", "</textarea><{0}>", '"><{0}>', "'><{0}>", "</title><{0}>", "{{{{<{0}>}}}}", "{{% <{0}> %}}",
                     "<!--<{0}>-->", "]]><{0}>", "&lt;{0}&gt;<{0}>", "\u202e<{0}>", "<{0} ", "\x00<{0}>",
                     "%(x)s{{x}}<{0}>", "`<{0}>`", "<{0}/><{0}", "</mark><{0}>", "</b><{0}>", "\n<{0}>", "<{0}>\r\n")
]  # fmt: skip


async def test_hostile_words(owner: Visitor) -> None:
    """200 payloads as title, text, other name, question and test: no page has an element more than with plain words."""
    world = owner.world

    async def tags(path: str) -> list[str]:
        return re.findall(r"<[a-zA-Z/!][^\s>]*", await owner.get(path))

    def put(title: str, body: str, alias: str, question: str) -> None:
        def unit(tx: Tx) -> None:
            tx.sql.run("UPDATE knowledge SET title = ?, body = ?, aliases = ? WHERE id = 2", title, body, alias)
            tx.sql.run("UPDATE unanswered SET question = ?", question)
            tx.sql.run("UPDATE contacts SET profile_name = ?", question)

        units.append(unit)

    units: list[object] = []
    await ask(world, "Tem piscina?", "Tem sauna?", SUGAR)
    asked = (await world.column("SELECT max(id) FROM unanswered"))[0]
    paths = ("/topics", "/topics/2", f"/topics/new?unanswered={asked}")
    put("Entrega", "palavras", "nome", "palavras")
    await world.appliance.store.write(units[-1])  # type: ignore[arg-type]
    plain = [await tags(path) for path in paths]

    assert len(PAYLOADS) == 200
    for payload in PAYLOADS:
        put(payload, f"palavras {payload}", payload.split("\n")[0], payload)
        await world.appliance.store.write(units[-1])  # type: ignore[arg-type]
        assert [await tags(path) for path in paths] == plain, payload
    for payload in PAYLOADS[::20]:
        found = await owner.get(f"/topics?q={quote(payload + ' entrega')}")
        assert not re.search(r"<(?:img|iframe|base|style)\b|<script(?! type=\"module\" src=)|<svg onload", found)
        await owner.post("/topics", 200, do="preview", title=payload, body=payload, aliases=payload, question=payload)
