"""What customers write, are called and are answered is text on every page, whatever it looks like."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest

from appliance.store import Tx
from tests.support.neighbours import MARK, THEIRS, ids, owned, settle_down
from tests.support.visitor import Visitor
from tests.support.world import ManualClock, World
from tests.web.pages.test_tenants import kind_of, names, routes

BREAKS = ("", '">', "'>", "</p></a>", "</textarea></title>", "--></script>")
ELEMENTS = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "<iframe src=//evil.example>",
    "<a href=javascript:alert(1)>x</a>", "<form action=//evil.example><button>x", "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example>", "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>*{display:none}</style>", "<details open ontoggle=alert(1)>", "<input autofocus onfocus=alert(1)>",
    "<object data=//evil.example>", "<embed src=//evil.example>", "<math><mi xlink:href='javascript:alert(1)'>",
    "<template><b>x</b></template>", "<p data-live id=cards>x", "<p data-copy=password id=said>", "<main id=main>",
    "<ScRiPt\t>alert(1)</sCrIpT\n>", "<\u0130mg src=x>", "<!--", "<![CDATA[<b>x</b>]]>", "<?xml version='1.0'?><b>",
    "&lt;b&gt;x&lt;/b&gt;", "&#60;b&#62;x", "<b\u2028onclick=alert(1)>x", "<b/onclick=alert(1)>x",
    '" onmouseover="alert(1)', "' autofocus onfocus='alert(1)", "` onload=`alert(1)", "{{ 7 * 7 }}{% raw %}{x}%(x)s",
    "\u202e</b>\u202c<b>", "\x1b[31m<b>\x07", "javascript:alert(1)//", "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16") + "<b>",
)  # fmt: skip
PAYLOADS = [f"{before}{element}" for before in BREAKS for element in ELEMENTS][:200]
TOGETHER = 4  # in one text: what breaks out of it is seen whoever stands before it
ADDRESSES = ("href", "src", "action", "formaction", "data")


class Elements(HTMLParser):
    """Each element with the names of its attributes; addresses that run something, and attributes that do."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()
        self.runs: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found[f"{tag} {' '.join(sorted(name for name, _ in attrs))}"] += 1
        self.runs += [name for name, _ in attrs if name.startswith("on") or name in ("style", "srcdoc")]
        self.runs += [
            value
            for name, value in attrs
            if name in ADDRESSES and value and not value.startswith(("/", "https://", "#", "tel:+"))
        ]

    def handle_comment(self, data: str) -> None:
        self.found[f"comment {data}"] += 1

    def unknown_decl(self, data: str) -> None:
        self.found[f"declaration {data}"] += 1

    handle_pi = handle_comment


class Texts:
    """Every text of the second organization, and the box's, that has the mark in it."""

    def __init__(self, tx: Tx) -> None:
        self.places = list(self._find(tx))

    def _find(self, tx: Tx) -> Iterator[tuple[str, str, int, str]]:
        tables = tx.sql.all("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'knowledge_fts%'")
        for table in [row["name"] for row in tables]:
            key = "rowid" if _has_rowid(tx, table) else ""
            for row in tx.sql.all(f"SELECT {key or 'NULL'} AS place, * FROM {table}"):
                for column, value in dict(row).items():
                    if isinstance(value, str) and MARK in value and key:
                        yield table, column, row["place"], value

    def write(self, tx: Tx, text: str) -> None:
        for table, column, place, value in self.places:
            inner = json.dumps(text)[1:-1] if value[:1] in ("{", "[") else text
            tx.sql.run(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", value.replace(MARK, inner), place)


def _has_rowid(tx: Tx, table: str) -> bool:
    return "WITHOUT ROWID" not in tx.sql.value("SELECT sql FROM sqlite_master WHERE name = ?", table)


async def pages(world: World, visitor: Visitor, text: str) -> dict[str, str]:
    """Each page with each thing of the second organization; what was asked for, and what was filled in, shown again."""
    found = ids(await world.appliance.store.read(owned))
    shown = {}
    query = dict.fromkeys(names("query"), text)
    for path in [path for method, path in routes(world) if method == "GET"]:
        numbers = sorted(found[kind_of(path)]) if "{id}" in path else [0]
        for name, given in [*((path.replace("{id}", str(each)), {}) for each in numbers), (path, query)]:
            url = f"{visitor.address}{name.replace('{id}', str(numbers[0]))}"
            async with visitor.http.get(url, params=given) as response:
                if response.content_type == "text/html":  # what is plain text is shown as it is
                    shown[f"{name} {len(given)}"] = await response.text()
    for path in ("/sign-in", "/conversations/999/reply"):
        form = {"email": text, "password": "x", "body": text}
        headers = {"Origin": visitor.address, "Accept": "text/html"}
        async with visitor.http.post(f"{visitor.address}{path}", data=form, headers=headers) as response:
            shown[f"POST {path}"] = await response.text()
    return shown


async def test_two_hundred_hostile_texts_make_no_element(tmp_path: Path) -> None:
    """In bodies, names, answers, errors, topics, cards, users, the organization's own name and the address bar."""
    assert len(set(PAYLOADS)) == 200
    async with World(tmp_path, clock=ManualClock()) as world:
        await settle_down(world)
        texts = await world.appliance.store.read(Texts)
        kinds = {f"{table}.{column}" for table, column, _, _ in texts.places}
        assert kinds >= {
            "messages.body",
            "contacts.profile_name",
            "knowledge.title",
            "knowledge.body",
            "outbox.body",
            "message_queue.error",
            "outbox.reason",
            "unanswered.question",
            "cards.text",
        }
        async with Visitor(world, admin=True) as visitor:
            await visitor.post("/look-at", organization=str(THEIRS))
            began, count = time.perf_counter(), 0
            await pages(world, visitor, MARK)  # has some things counted for the first time
            await world.settle()
            harmless = {name: Elements(page) for name, page in (await pages(world, visitor, MARK)).items()}
            for start in range(0, len(PAYLOADS), TOGETHER):
                payload = " ".join(PAYLOADS[start : start + TOGETHER])
                await world.appliance.store.write(partial(texts.write, text=payload))
                for name, page in (await pages(world, visitor, payload)).items():
                    found, count = Elements(page), count + 1
                    new = found.found - harmless[name].found
                    assert not new, (name, payload, new)
                    assert found.runs == [], (name, payload, found.runs)
            print(f"200 payloads in {len(texts.places)} places of {len(kinds)} kinds: {count} pages without a new element, "
                  f"{time.perf_counter() - began:.0f} s")  # fmt: skip


def test_the_count_sees_new_elements() -> None:
    """A control: each payload as markup would be seen, but for those that are none."""
    seen = [payload for payload in PAYLOADS if Elements(f"<p>{payload}</p>").found != Elements("<p>x</p>").found]
    assert len(seen) > 150
    assert Elements('<a onclick="x" href="javascript:1">').runs == ["onclick", "javascript:1"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Dona Neide", "Dona Neide"),
        ("\u202enieM .adagap é atnoc A", "nieM .adagap é atnoc A"),
        ("Ana\u2066\u200f\nPaula\u00a0 ", "Ana Paula"),
        ("ليلى", "ليلى"),
        ("👩\u200d🍳", "👩\u200d🍳"),
        ("\u3164", "+55 11 95555-0001"),
        (" \u200b\u202e", "+55 11 95555-0001"),
        ("\u2800\u0301", "+55 11 95555-0001"),
    ],
)
async def test_a_name_in_a_sentence(world: World, name: str, shown: str) -> None:
    """It turns no word of ours around, and somebody whose name shows nothing is called by the number."""
    await world.say("quero falar com uma pessoa", "+5511955550001", extra={"ProfileName": name})
    await world.settle()
    async with Visitor(world) as visitor:
        assert f"<b>{shown}</b>" in await visitor.get("/conversations")
        assert f"<h1>{shown}</h1>" in await visitor.get("/conversations/1")
