"""Two organizations in one box, the second with one of everything; what is the second one's, found by the schema."""

from collections.abc import Iterator
from typing import Any

from appliance.operations.organizations import Registration, register_organization
from appliance.simulator import Fault
from appliance.store import Tx
from appliance.wire import Media
from tests.support.api_client import api_of
from tests.support.world import World

MARK = "zqB7"  # in every text of the second organization
THEIR_NUMBER, THEIR_CUSTOMER, THEIR_WAITING = "+551140000009", "+5511955554444", "+5511955553333"
THEIRS = 2  # its id
NEW_SID = "SM" + "7b" * 16
OWN = [MARK, THEIR_NUMBER[1:], THEIR_CUSTOMER[1:], THEIR_WAITING[1:], NEW_SID]  # no answer to anybody else has these
# What nothing that happens in a test leaves: written as it is kept. {m}: a message's id, {c}: a contact's
ROWS = {
    "unanswered": "INSERT INTO unanswered (organization_id, contact_id, message_id, words, question, asked_at) "
    "VALUES (2, {c}, {m}, 'zqB7 parking', 'zqB7 parking?', 1)",
    "texts": "INSERT INTO texts VALUES (2, 'pt-BR', 'closing', 'Até logo, zqB7', 1)",
    "topic_answers": "INSERT INTO topic_answers VALUES (2, 'Entrega zqB7', '2027-01-15', 7)",
    "statements": "INSERT INTO statements VALUES (2, 'zqB7', '2027-01-15', 1, 1, 9, 9, '{{}}')",
    "differences": "INSERT INTO differences (organization_id, account, day, sid, kind, contact_id, found_at) "
    "VALUES (2, 'zqB7', '2027-01-15', 'SM7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b', 'not_here', {c}, 1)",
    "contact_aliases": "INSERT INTO contact_aliases VALUES ({c}, 'zqB7', 'told', 1)",
    "sign_in_links": "INSERT INTO sign_in_links VALUES (x'00', (SELECT id FROM users WHERE organization_id = 2), 1)",
}
NOT_THERE = {"forgettings", "copies_at_twilio", "contact_links", "former_accounts"}  # begin with the box's own API


async def settle_down(world: World) -> None:
    """The first organization with its own customer; the second with everything."""
    world.twilio.owned = [*world.twilio.owned, THEIR_NUMBER]
    registration = Registration(f"Florista {MARK}", [THEIR_NUMBER], f"flor-{MARK}@example.com", instructions=MARK)

    def begin(tx: Tx) -> None:
        assert register_organization(tx, registration) == THEIRS
        tx.knowledge.put(1, "Horário", "Abrimos das 7h às 19h.")
        tx.knowledge.put(THEIRS, f"Entrega {MARK}", f"Entregamos flores, {MARK}.", (f"frete {MARK}",))
        user = tx.users.of(THEIRS)[0]
        tx.users.sign_in(user.id, b"theirs")

    await world.appliance.store.write(begin)
    await world.say("Qual o horário?", extra={"ProfileName": "Carla"})
    name = {"ProfileName": f"Zuleika {MARK}"}
    await world.say(f"Qual a entrega? {MARK}", THEIR_CUSTOMER, THEIR_NUMBER, extra=name)
    await world.settle()
    await world.say(f"Olha {MARK}", THEIR_CUSTOMER, THEIR_NUMBER, media=(Media("", "image/jpeg"),), extra=name)
    await world.settle()
    for words in (f"quero falar com uma pessoa {MARK}", f"alô? {MARK}"):
        await world.say(words, THEIR_WAITING, THEIR_NUMBER, extra={"ProfileName": f"Waldo {MARK}"})
        await world.settle()
    world.twilio.faults.add(Fault("create", "error", status=400, code=21610))
    async with api_of(world) as api:  # comes to nothing: a dead letter
        body = {"from": THEIR_NUMBER, "to": THEIR_CUSTOMER, "body": f"Oi {MARK}", "idempotency_key": MARK}
        assert (await api.post("messages", body))[0] == 202
    await world.settle()
    await world.appliance.store.write(_write_the_rest)


def _write_the_rest(tx: Tx) -> None:
    contact = tx.sql.value("SELECT id FROM contacts WHERE address = ?", THEIR_CUSTOMER)
    message = tx.sql.value("SELECT min(id) FROM messages WHERE organization_id = ?", THEIRS)
    for table in [table for table, rows in owned(tx).items() if not rows]:
        if table == "pauses":
            tx.sql.run(
                "INSERT INTO pauses (subject, organization_id, contact_id, began_at, paused_by) VALUES (?, 2, ?, 1, ?)",
                f"contact:{contact}",
                contact,
                MARK,
            )
        elif table == "handover_events":
            tx.sql.run(
                "INSERT INTO handover_events (contact_id, what, who, at) VALUES (?, 'taken', ?, 1)", contact, MARK
            )
        elif table in ROWS:
            tx.sql.run(ROWS[table].format(c=contact, m=message))
        else:
            assert table in NOT_THERE, f"the second organization has nothing in {table}"
    tx.sql.run("UPDATE message_queue SET error = ? WHERE status = 'dead'", f"HTTP 400, {MARK}")
    for table, column in (("outbox", "reason"), ("attempts", "status"), ("delivery_events", "note"), ("cards", "text")):
        tx.sql.run(f"UPDATE {table} SET {column} = {column} || ' ' || ? WHERE {column} IS NOT NULL", MARK)


def owned(tx: Tx) -> dict[str, list[dict[str, Any]]]:
    """By table, the rows that are the second organization's: those that lead to it by any chain of references."""
    found: dict[str, list[dict[str, Any]]] = {
        "organizations": _rows(tx, "SELECT * FROM organizations WHERE id = ?", THEIRS)
    }
    tables = dict(_references(tx))
    while True:
        ready = [name for name in tables if name not in found and {to for _, to in tables[name]} <= {*found, name}]
        if not ready:
            break
        for name in ready:
            ids = {to: [row["id"] for row in found[to]] for _, to in tables[name] if to != name}
            clauses = [
                f"{column} IN ({', '.join(map(str, ids[to])) or 'NULL'})" for column, to in tables[name] if to != name
            ]
            found[name] = _rows(tx, f"SELECT * FROM {name} WHERE {' OR '.join(clauses)}")
    sids = ", ".join(f"'{row['sid']}'" for row in found["messages"])
    outbox = ", ".join(str(row["id"]) for row in found["outbox"])
    found["message_queue"] = _rows(
        tx,
        f"SELECT * FROM message_queue WHERE message_sid IN ({sids}) OR payload ->> 'outbox' IN ({outbox}) ORDER BY id",
    )
    return found


def _references(tx: Tx) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for row in tx.sql.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"):
        keys = tx.sql.all(f"SELECT * FROM pragma_foreign_key_list('{row['name']}')")
        if keys:
            yield row["name"], [(key["from"], key["table"]) for key in keys]


def _rows(tx: Tx, statement: str, *values: Any) -> list[dict[str, Any]]:
    return [dict(row) for row in tx.sql.all(statement, *values)]


def ids(tables: dict[str, list[dict[str, Any]]]) -> dict[str, set[int]]:
    """By table, where rows have ids; what gave up is a kind of its own."""
    found = {name: {row["id"] for row in rows if "id" in row} for name, rows in tables.items()}
    return found | {"letters": {row["id"] for row in tables["message_queue"] if row["status"] == "dead"}}


def secrets(tables: dict[str, list[dict[str, Any]]]) -> list[str]:
    """What nobody else may be shown."""
    sids = {row["sid"] for name in ("messages", "outbox") for row in tables[name] if row["sid"]}
    return [*OWN, *sorted(sids)]
