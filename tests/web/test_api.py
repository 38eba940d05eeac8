"""The JSON API: every endpoint, good and bad."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from appliance.operations.organizations import Registration, register_organization
from appliance.store.cards import BOX, CardKind
from appliance.watch.conditions import Condition
from tests.support.api_client import ApiClient, api_of
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World

MESSAGE = {"from": SMS, "to": CUSTOMER, "body": "O pão está pronto."}
SECOND = {"name": "Café Sol", "channels": ["+551150000000"], "user": "sol@example.com"}


@pytest.fixture
async def api(world: World) -> AsyncIterator[ApiClient]:
    async with api_of(world) as client:
        yield client


async def _add_second(world: World) -> None:
    await world.appliance.store.write(
        lambda tx: register_organization(tx, Registration("Café Sol", ["+551150000000"], "sol@example.com"))
    )


async def test_status_has_every_key_of_the_contract(api: ApiClient) -> None:
    """All names are there before anything happened, with zero."""
    status = await api.get("status")

    now = {
        "reasons",
        "running",
        "stopped_at",
        "verdict",
        "lines",
        "language",
        "timezone",
        "waiting",
        "today",
        "backup",
        "links",
        "disk",
    }
    assert set(status) == {"version", "started_at", "messages", "queue", "outbox", "conversations", "cards"} | now
    assert set(status["messages"]) == {
        *("received", "answered", "apologised", "suppressed", "dead", "live", "orphaned")
    }
    assert set(status["queue"]) == {"ready", "running", "scheduled", "retry", "dead", "oldest_ready_seconds"}
    assert set(status["outbox"]) == {
        *("ready", "sending", "doubt", "sent", "delivered", "read", "failed", "parked", "superseded", "suppressed")
    }
    assert set(status["conversations"]) == {"pending", "progress", "idle", "human", "closed"}
    assert status["messages"]["received"] == status["cards"] == 0


async def test_status_counts_what_happened(world: World, api: ApiClient) -> None:
    """A message answered and one to an unknown number are counted where they belong."""
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.settle()

    status = await api.get("status")

    assert status["messages"]["received"] == status["messages"]["answered"] == 1
    assert status["outbox"]["delivered"] == 1
    assert status["conversations"]["progress"] == 1
    assert (await api.get("verify")) == {"ok": True, "problems": [], "messages": status["messages"]}


async def test_status_tells_how_it_is_now(world: World, api: ApiClient) -> None:
    """What waits, what is new today, the links; without the totals it is the same, and cheaper."""
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.settle()

    status = await api.get("status")
    without = await api.get("status?totals=0")

    assert (status["running"], status["stopped_at"]) == (True, None)
    assert status["verdict"] == {"kind": "calm", "sentence": "All is well."}
    assert status["waiting"] == {"customers": 0, "oldest_seconds": 0}
    assert status["today"] == {"received": 1, "answered": 1, "apologised": 0, "suppressed": 0, "dead": 0, "live": 0}
    (link,) = status["links"]
    assert (link["name"], link["state"], link["since"], link["error"]) == ("twilio:main", "well", None, None)
    assert link["asked_at"] >= link["answered_at"] > status["started_at"]
    assert status["disk"] > 0
    assert set(status) - set(without) == {"messages", "queue", "outbox", "conversations"}


async def test_a_link_in_trouble_is_not_calm(world: World, api: ApiClient) -> None:
    """Before there is a card of it: its error, since when, and who waits."""
    await world.twilio_line.cut()
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.until(lambda: world.appliance.engine.adapters.links.get("twilio:main").trouble)

    status = await api.get("status")

    (link,) = status["links"]
    assert (link["state"], link["since"] is None, link["error"] is None) == ("trouble", False, False)
    assert status["verdict"]["kind"] == "link"
    assert status["verdict"]["sentence"] == "Twilio does not answer."
    assert status["lines"][0].startswith("1 customer waits for an answer, for ")
    assert status["lines"][3].startswith("Twilio has not answered since ")
    assert status["waiting"]["customers"] == 1


async def test_a_card_that_the_disk_does_not_take_is_among_the_cards(world: World, api: ApiClient) -> None:
    """Without an id, and not twice where it is stored after all."""
    full = Condition(CardKind.DISK, BOX, facts={"free": 0, "needed": 300})
    world.appliance.engine.watch.unstored = [full]

    (untold,) = (await api.get("cards"))["cards"]
    of_one = (await api.get("cards?organization=Padaria%20Aurora"))["cards"]
    await world.appliance.store.write(lambda tx: tx.cards.open(full.kind, full.subject, free=0, needed=300))
    (told,) = (await api.get("cards"))["cards"]

    assert (untold["id"], untold["kind"], untold["priority"]) == (None, "disk", 5)
    assert untold["text"].startswith("0 MB are left; 300 MB are needed")
    assert of_one == []
    assert told["id"] is not None


async def test_messages_of_a_contact_newest_first(world: World, api: ApiClient) -> None:
    """Both directions with their fate; a `+` that arrives as a space is understood; the limit holds."""
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.settle()

    both = (await api.get(f"messages?contact={CUSTOMER}"))["messages"]

    assert [(row["direction"], row["disposition"]) for row in both] == [
        ("outbound", "delivered"),
        ("inbound", "answered"),
    ]
    assert set(both[0]) == {
        *("sid", "direction", "contact", "channel", "body", "disposition", "reason", "reply_id", "at", "media")
    }
    assert both[0]["reply_id"] == both[1]["reply_id"]
    assert (await api.get(f"messages?contact=%2B{CUSTOMER[1:]}"))["messages"] == both
    assert len((await api.get("messages?limit=1"))["messages"]) == 1
    assert (await api.get("messages?contact=%2B5511900000000"))["messages"] == []


async def test_orphans_and_cards(world: World, api: ApiClient) -> None:
    """A message to a number that is nobody's is shown, and a card says so."""
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE organizations SET disabled_at = 1"))
    await world.twilio.receive(CUSTOMER, SMS, "Oi")

    orphan = (await api.get("orphans"))["orphans"][0]

    assert {orphan[name] for name in ("from", "to", "body", "reason")} == {CUSTOMER, SMS, "Oi", "unknown number"}
    assert [card["kind"] for card in (await api.get("cards"))["cards"]] == ["orphan"]


async def test_a_message_is_sent_once_per_key(world: World, api: ApiClient) -> None:
    """The same key with the same content is the same message, with other content it is a conflict."""
    keyed = MESSAGE | {"idempotency_key": "order-7"}
    status, first = await api.post("messages", keyed)
    await world.settle()

    assert (status, set(first)) == (202, {"id", "state"})
    assert await api.post("messages", keyed | {"body": f" {MESSAGE['body']}\r\n"}) == (
        202,
        {"id": first["id"], "state": "delivered"},
    )
    for change in ({"body": "Outra"}, {"to": "+5511977776666"}, {"from": WHATSAPP, "to": f"whatsapp:{CUSTOMER}"}):
        status, answer = await api.post("messages", keyed | change)
        assert (status, answer["error"]["code"]) == (409, "key_reused")
    await world.settle()
    assert world.sent() == [MESSAGE["body"]]


async def test_fifty_posts_with_one_key_are_one_message(world: World, api: ApiClient) -> None:
    """The race is decided by the store."""
    answers = await asyncio.gather(*(api.post("messages", MESSAGE | {"idempotency_key": "k"}) for _ in range(50)))
    await world.settle()

    assert {status for status, _ in answers} == {202}
    assert len({answer["id"] for _, answer in answers}) == 1
    assert world.sent() == [MESSAGE["body"]]


async def test_without_a_key_every_post_is_a_message(world: World, api: ApiClient) -> None:
    """Who wants it twice gets it twice, in the open conversation."""
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.settle()
    for _ in range(2):
        assert (await api.post("messages", MESSAGE))[0] == 202
    await world.settle()

    assert world.sent()[1:] == [MESSAGE["body"]] * 2
    assert await world.rows(
        "SELECT DISTINCT kind, conversation_id, intended_by FROM outbox WHERE source = 'operator'"
    ) == [{"kind": "manual", "conversation_id": 1, "intended_by": "api"}]


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"body": ""}, 400, "body"),
        ({"body": " \n\0 "}, 400, "body"),
        ({"body": "a" * 1601}, 400, "body"),
        ({"body": "a" * 1600}, 202, None),
        ({"body": 7}, 400, "body"),
        ({"body": None}, 400, "body"),
        ({"from": "+551100000000"}, 400, "from"),
        ({"from": CUSTOMER}, 400, "from"),
        ({"to": SMS}, 400, "to"),
        ({"to": "12345"}, 400, "to"),
        ({"to": "Pizza"}, 400, "to"),
        ({"to": ""}, 400, "to"),
        ({"to": f"whatsapp:{CUSTOMER}"}, 400, "to"),
        ({"to": "+5511\0"}, 400, "to"),
        ({"to": "+" + "5" * 5000}, 400, "to"),
        ({"idempotency_key": ""}, 400, "idempotency_key"),
        ({"idempotency_key": "k" * 201}, 400, "idempotency_key"),
        ({"idempotency_key": "a\0b"}, 400, "idempotency_key"),
        ({"idempotency_key": None}, 202, None),
        ({"colour": "red"}, 400, "colour"),
    ],
)
async def test_what_may_be_sent(api: ApiClient, change: dict[str, Any], status: int, field: str | None) -> None:
    """Every fault is 4xx with the field's name."""
    found, answer = await api.post("messages", MESSAGE | change)

    assert found == status, answer
    assert answer.get("error", {}).get("field") == field


async def test_a_missing_field_is_named(api: ApiClient) -> None:
    """So is a body that is no object."""
    assert (await api.post("messages", {"from": SMS}))[1]["error"]["field"] == "to"
    assert (await api.post("messages", []))[0] == 400


async def test_jobs_are_enqueued_once(world: World, api: ApiClient) -> None:
    """An external cron may call twice: one live job of a kind."""
    await world.appliance.engine.worker.stop()

    answers = [
        await api.post(f"jobs/{kind}")
        for kind in ["process_idle_conversations"] * 2 + ["process_expired_conversations"]
    ]

    assert answers == [(200, {"enqueued": True}), (200, {"enqueued": False}), (200, {"enqueued": True})]


async def test_an_organization_is_registered_with_all_it_needs(world: World, api: ApiClient) -> None:
    """It can be seen, its password is only kept as a hash, and further channels can be added."""
    status, answer = await api.post("organizations", SECOND | {"password": "correct horse", "language": "en"})

    assert (status, answer) == (201, {"id": 2})
    assert (await api.post("channels", {"organization": "café sol", "address": "whatsapp:+551150000000"}))[0] == 201
    listed = (await api.get("organizations"))["organizations"][1]
    assert listed["channels"] == ["+551150000000", "whatsapp:+551150000000"]
    assert (listed["name"], listed["language"], listed["users"]) == ("Café Sol", "en", ["sol@example.com"])
    assert (await api.get("channels"))["channels"][-1]["organization"] == "Café Sol"
    assert (await world.rows("SELECT password_hash FROM users WHERE id = 2"))[0]["password_hash"].startswith("scrypt$")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"name": "Padaria Aurora"}, 409, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "a\0"}, 400, "name"),
        ({"user": "dono@example.com"}, 409, "user"),
        ({"user": "nobody"}, 400, "user"),
        ({"channels": []}, 400, "channels"),
        ({"channels": [SMS]}, 409, "channel"),
        ({"channels": ["+551150000000", "+551150000000"]}, 409, "channel"),
        ({"channels": ["no number"]}, 400, "channel"),
        ({"language": "de"}, 400, "language"),
        ({"timezone": "Mars/Base"}, 400, "timezone"),
        ({"timezone": "America"}, 400, "timezone"),
        ({"timezone": "../../etc/passwd"}, 400, "timezone"),
        ({"password": "short"}, 400, "password"),
        ({"admin": True}, 400, "admin"),
    ],
)
async def test_an_organization_is_registered_whole_or_not_at_all(
    world: World, api: ApiClient, change: dict[str, Any], status: int, field: str
) -> None:
    """A fault in any part leaves nothing behind."""
    found, answer = await api.post("organizations", SECOND | change)

    assert (found, answer["error"]["field"]) == (status, field)
    assert (await world.rows("SELECT count(*) AS n FROM organizations"))[0]["n"] == 1
    assert (await world.rows("SELECT count(*) AS n FROM channels"))[0]["n"] == 2


async def test_knowledge_is_imported_and_tried(api: ApiClient) -> None:
    """Headings replace what has the same heading; a trial says which topic answers and why."""
    for hours in ("Das 8h às 18h.", "Das 7h às 19h."):
        assert await api.post("knowledge", {"markdown": f"# Horário\n{hours}\n# Pix\nAceitamos Pix."}) == (
            200,
            {"topics": ["Horário", "Pix"], "others": [], "removed": False},
        )

    assert (await api.get("knowledge"))["topics"][0] == {"title": "Horário", "body": "Das 7h às 19h.", "aliases": []}
    _, trial = await api.post("knowledge/test", {"question": "Qual o horário?"})
    assert (trial["topic"], trial["score"], trial["reply"]) == ("Horário", 1.0, "Das 7h às 19h.")
    assert [(each["topic"], each["score"], each["likeness"] > 0.3) for each in trial["scores"]] == [
        ("Horário", 1.0, True)
    ]
    _, unknown = await api.post("knowledge/test", {"question": "Vocês consertam bicicletas?"})
    assert (unknown["topic"], unknown["score"], unknown["menu"]) == (None, 0.0, [])
    assert unknown["reply"].startswith("Não tenho essa informação.")
    assert (unknown["provider"], unknown["asked"], unknown["is_answer"]) == ("faq", "the offline FAQ", False)


async def test_topics_are_removed(api: ApiClient) -> None:
    """One by its heading, or all that a file does not have."""
    await api.post("knowledge", {"markdown": "# Horário\nDas 8h às 18h.\n# Pix\nSim.\n# Bolo\nDe cenoura."})

    removed = await api.call("DELETE", "knowledge", params={"title": "horario"})
    unknown = await api.call("DELETE", "knowledge", params={"title": "horario"})
    unnamed = await api.call("DELETE", "knowledge")
    replaced = await api.post("knowledge", {"markdown": "# Pix\nSim.", "replace": True})

    assert removed == (200, {"title": "Horário"})
    assert [(found[0], found[1]["error"]["field"]) for found in (unknown, unnamed)] == [(404, "title")] * 2
    assert replaced == (200, {"topics": ["Pix"], "others": ["Bolo"], "removed": True})
    assert [each["title"] for each in (await api.get("knowledge"))["topics"]] == ["Pix"]


async def test_why_a_message_gets_no_answer_is_told(world: World, api: ApiClient) -> None:
    """Nothing while an answer may come or where one was sent; else the stored reason, and words for people."""
    asked = await world.say("Qual o horário?")
    await world.settle()
    silent = await world.say("👍")
    await world.settle()

    assert [(await api.get(f"messages/{sid}/silence"))["silence"] for sid in (asked, silent, "SM0")] == [
        None,
        {"reason": "only emoji", "words": "only emoji: no answer is wanted"},
        None,
    ]


async def test_a_trial_says_what_a_menu_offers(api: ApiClient) -> None:
    """Where no topic answers, the titles that a customer may choose from, with the likeness that ranked them."""
    await api.post("knowledge", {"markdown": "# Encadernação\nEspiral ou capa dura.\n# Fotos\nNa hora."})

    _, trial = await api.post("knowledge/test", {"question": "encadernam apostila?"})

    assert (trial["topic"], trial["menu"]) == (None, ["Encadernação"])
    assert trial["reply"].splitlines()[1:] == ["1) Encadernação"]
    assert trial["scores"][0]["topic"] == "Encadernação"
    assert trial["scores"][0]["score"] < 0.6


async def test_what_customers_call_a_topic(api: ApiClient) -> None:
    """Names are added and taken away one by one, whatever their case; an import without a line of them keeps them."""
    await api.post("knowledge", {"markdown": "# Rede\nSenha no balcão.\nTambém: wifi\n# Pix\nSim."})

    named = await api.post("knowledge/aliases", {"topic": "REDE", "aliases": ["Internet", "wi-fi", "rede"]})
    await api.post("knowledge", {"markdown": "# rede\nSenha no caixa."})
    _, found = await api.post("knowledge/test", {"question": "tem internet?"})
    fewer = await api.post("knowledge/aliases", {"topic": "rede", "aliases": ["INTERNET", "x"], "remove": True})
    replaced = await api.post("knowledge", {"markdown": "# rede\nSenha no caixa.\nAlso: net"})

    assert named == (200, {"title": "Rede", "aliases": ["wifi", "Internet", "wi-fi"]})
    assert (found["topic"], found["reply"]) == ("rede", "Senha no caixa.")
    assert fewer == (200, {"title": "rede", "aliases": ["wifi", "wi-fi"]})
    assert replaced[0] == 200
    assert [each["aliases"] for each in (await api.get("knowledge"))["topics"]] == [[], ["net"]]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"topic": "Rede", "aliases": ["x"]}, 404, "not_found"),
        ({"topic": "Pix", "aliases": ["?!"]}, 400, "bad_alias"),
        ({"topic": "Pix", "aliases": ["x" * 61]}, 400, "bad_alias"),
        ({"topic": "Pix", "aliases": [str(number) for number in range(21)]}, 400, "bad_alias"),
        ({"topic": "Pix", "aliases": []}, 400, "invalid"),
    ],
)
async def test_names_that_are_refused(api: ApiClient, body: dict[str, Any], status: int, code: str) -> None:
    """Of no topic, without words, too long, too many, none."""
    await api.post("knowledge", {"markdown": "# Pix\nSim."})

    found, answer = await api.post("knowledge/aliases", body)

    assert (found, answer["error"]["code"]) == (status, code)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("knowledge", {"markdown": ""}, "knowledge"),
        ("knowledge", {"markdown": "no heading"}, "knowledge"),
        ("knowledge/test", {"question": ""}, "question"),
        ("knowledge/test", {"question": "x" * 1601}, "question"),
        ("knowledge/test", {}, "question"),
    ],
)
async def test_knowledge_that_is_refused(api: ApiClient, path: str, body: dict[str, Any], field: str) -> None:
    """The fault names the field."""
    status, answer = await api.post(path, body)

    assert (status, answer["error"]["field"]) == (400, field)


async def test_with_several_organizations_one_is_named(world: World, api: ApiClient) -> None:
    """By name or by id; nobody is guessed."""
    await _add_second(world)

    status, answer = await api.call("GET", "knowledge")

    assert (status, answer["error"]["code"]) == (400, "which_organization")
    for reference in ("Café Sol", "2", 2):
        body = {"organization": reference, "markdown": "# Pix\nSim."}
        assert (await api.post("knowledge", body))[0] == 200
    assert (await api.get("knowledge?organization=Padaria Aurora"))["topics"] == []
