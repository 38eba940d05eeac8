"""Two organizations in one box: whatever a user of the first asks for and sends, nothing of the second is shown, and
nothing of it changes. The route table is walked, so a new route is tried by itself, or fails until it says of what its
ids are.
"""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from aiohttp import FormData, web
from yarl import URL

from tests.support.api_client import api_of, control_of
from tests.support.neighbours import MARK, THEIR_CUSTOMER, ids, owned, secrets, settle_down
from tests.support.visitor import Visitor
from tests.support.world import ManualClock, World
from tests.test_walls import NAMED

PAGES = Path(__file__).parents[3] / "appliance" / "web" / "pages"
MACHINES = ("/api/", "/twilio/", "/metrics", "/healthz", "/readyz", "/{prefix}", "/static/", "/events", "/link/")
# Of what the ids in a route are; the longest beginning that fits counts.
KINDS = {
    "/conversations/{id}": "conversations",
    "/cards/{id}": "cards",
    "/dead-letters/{id}": "letters",
    "/engine/dead-letters/{id}": "letters",
    "/engine/cards/{id}": "cards",
    "/topics/{id}": "knowledge",
    "/unanswered/{id}": "unanswered",
    "/topics/unanswered/{id}": "unanswered",
    "/users/{id}": "users",
    "/settings/users/{id}": "users",
}
ENDS = {"/sign-out", "/settings/sign-out"}  # the own session


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[World]:
    """Its clock stands still, so that nothing happens by itself."""
    async with World(tmp_path, clock=ManualClock()) as world:
        await settle_down(world)
        await world.settle()
        yield world


def routes(world: World) -> list[tuple[str, str]]:
    """Of the pages, as the running appliance has them."""
    app: web.Application = world.appliance._listeners._runners[0].app
    found = {(each.method, each.resource.canonical) for each in app.router.routes() if each.resource}
    return sorted(each for each in found if not each[1].startswith(MACHINES) and each[1] not in ENDS)


def kind_of(path: str) -> str:
    """Fails for a route that nobody put into the table."""
    known = [kind for kind in sorted(KINDS, key=len) if path.startswith(kind)]
    assert known, f"{path}: add to KINDS what its ids are of"
    return KINDS[known[-1]]


def names(call: str) -> set[str]:
    """Of the fields or the query values that a page reads."""
    pattern = re.compile(rf"""{call}(?:\.get\(|\[|\.getall\()["'](\w+)["']""")
    return {name for path in PAGES.glob("*.py") for name in pattern.findall(path.read_text("utf-8"))}


class Neighbour:
    """A user of the first organization, and what is the second one's before anything was tried."""

    def __init__(self, world: World, visitor: Visitor) -> None:
        self.world = world
        self.visitor = visitor
        self.tried = 0
        self.has_said = False  # their secrets, which are then among one's own words

    async def look(self) -> None:
        self.before = await self.world.appliance.store.read(owned)
        self.ids = ids(self.before)
        self.secrets = secrets(self.before)
        every = {
            name: set(await self.world.column(f"SELECT id FROM {name}"))
            for name in self.ids
            if name not in ("letters", *KEYED)
        }
        self.own = {name: every[name] - self.ids[name] for name in every}
        self.own["letters"] = self.own["message_queue"]

    async def ask(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Nothing of theirs is in the answer, nor in what is set or where it leads."""
        url = URL(self.visitor.address + path, encoded=True)
        options: dict[str, Any] = {"headers": {"Origin": self.visitor.address, "Accept": "text/html"}}
        if method == "POST":
            options["data"] = FormData(form or {})
        async with self.visitor.http.request(method, url, allow_redirects=False, **options) as response:
            text = await response.text(errors="replace")
            told = f"{text} {response.headers}"
            self.tried += 1
            leaked = [secret for secret in self.secrets if secret in told and not self.has_said]
            assert leaked == [], (method, path, form, leaked, text[:2_000])
            assert response.status < 500, (method, path, form, text)
            assert response.headers.get("Location") != "/sign-in", (method, path)
            return response.status, text

    async def compare(self, what: object) -> None:
        """Nothing of theirs has changed."""
        await self.world.settle()
        after = await self.world.appliance.store.read(owned)
        for table, rows in self.before.items():
            assert after[table] == rows, (what, table)

    def forms(self) -> Iterator[dict[str, str]]:
        """Each with one thing of theirs in every field that any page reads; at last what is secret."""
        fields = names("form") - {"idempotency_key"}
        numbers = {number for each in self.ids.values() for number in each} - self.own["users"]
        guessed = [*map(str, sorted(numbers)), f"flor-{MARK[:3]}", f"Entrega {MARK[:3]}"]
        for value in [*guessed, THEIR_CUSTOMER, f"flor-{MARK}@example.com", f"Entrega {MARK}", f"Florista {MARK}"]:
            self.has_said = value not in guessed
            yield dict.fromkeys(fields, value) | {"idempotency_key": f"key {value}"}


KEYED = ("texts", "topic_answers", "statements", "sessions", "sign_in_links", "pauses", "attempts", "contact_aliases",
         "former_accounts", "copies_at_twilio")  # fmt: skip


@pytest.fixture
async def neighbour(two: World) -> AsyncIterator[Neighbour]:
    async with Visitor(two) as visitor:
        found = Neighbour(two, visitor)
        await found.look()
        yield found


async def test_its_own_user_sees_it(two: World) -> None:
    """A control: what nobody else may see is on the second organization's pages."""
    async with Visitor(two, f"flor-{MARK}@example.com") as theirs:
        for path in ("/", "/conversations"):
            assert f"Florista {MARK}" in await theirs.get(path)
        assert f"Zuleika {MARK}" in await theirs.get("/conversations")


async def test_every_id_of_theirs_is_unknown(neighbour: Neighbour) -> None:
    """In each route with an id, every id that is theirs and not one's own of that kind: 404, whatever the form says."""
    with_ids = [(method, path) for method, path in routes(neighbour.world) if "{" in path]
    assert len(with_ids) > 5
    for method, path in with_ids:
        assert re.findall(r"\{(\w+)\}", path) == ["id"], f"{path}: say here what its placeholders are"
        kind = kind_of(path)
        assert neighbour.ids[kind], kind
        foreign = {number for each in neighbour.ids.values() for number in each} - neighbour.own[kind]
        for number in sorted(foreign):
            form = dict.fromkeys(names("form"), "Olá") | {"idempotency_key": f"{path} {number}"}
            status, _ = await neighbour.ask(method, path.replace("{id}", str(number)), form)
            assert status == 404, (method, path, number)
        await neighbour.compare((method, path))
    print(f"{neighbour.tried} requests with ids of another organization")


async def test_no_form_reaches_them(neighbour: Neighbour) -> None:
    """Each route without an id, each value that names something of theirs in every field at once."""
    plain = [path for method, path in routes(neighbour.world) if method == "POST" and "{" not in path]
    for form in neighbour.forms():
        for path in plain:
            await neighbour.ask("POST", path, form)
        await neighbour.compare(form)
    print(f"{neighbour.tried} forms with what is another organization's")


async def test_no_query_shows_them(neighbour: Neighbour) -> None:
    """Each page with every query value that any page reads: an id, the beginning of a name, a word, a number."""
    values = [*map(str, sorted({number for each in neighbour.ids.values() for number in each})), "Zuleika", "Entrega", "flores",
              THEIR_CUSTOMER[5:11], "2", "Florista", MARK[:3], "%", "_", "*", '"', "' OR 1=1 --"]  # fmt: skip
    pages = [path for method, path in routes(neighbour.world) if method == "GET" and "{" not in path]
    own = [f"/conversations/{number}" for number in sorted(neighbour.own["conversations"])]
    for path in [*pages, *own]:
        await neighbour.ask("GET", path)
        for value in values:
            await neighbour.ask("GET", str(URL(path).with_query(dict.fromkeys(names("query"), value))))
    await neighbour.compare("queries")
    print(f"{neighbour.tried} pages asked for what is another organization's")


@pytest.mark.parametrize("client", [api_of, control_of])
async def test_the_api_in_the_name_of_one_shows_nothing_of_the_other(two: World, client: Any) -> None:
    """Each route that takes an organization, asked in the first one's name with everything that is the second one's."""
    before = await two.appliance.store.read(owned)
    values = [
        *map(str, sorted({number for each in ids(before).values() for number in each})),
        THEIR_CUSTOMER,
        f"Entrega {MARK}",
    ]
    own = set(await two.column("SELECT id FROM conversations WHERE organization_id = 1"))
    async with client(two) as api:
        for route in sorted(NAMED):
            method, _, path = route.partition(" ")
            for value in values:
                if value.isdigit() and "{" in path and int(value) in own:
                    continue
                target = re.sub(r"\{\w+\}", quote(value, safe=""), path)
                body = _body(path, value) if method == "POST" else None
                query = {"organization": 1, "address": value, "contact": value, "id": value, "title": "Nothing"}
                url = URL(f"{api.base}/api/v1/{target}?{urlencode(query)}", encoded=True)
                async with api.session.request(method, url, json=body) as response:
                    told = await response.text()
                assert response.status < 500, (route, value, told)
                echoed = told.replace(value, "")
                assert [secret for secret in secrets(before) if secret in echoed] == [], (route, value, told)
            await two.settle()
            after = await two.appliance.store.read(owned)
            for table, rows in before.items():
                assert after[table] == rows, (route, table)


def _body(path: str, value: str) -> dict[str, Any]:
    """What the route would take, in the first organization's name."""
    fields: dict[str, dict[str, Any]] = {
        "contacts/export": {"address": value},
        "contacts/forget": {"address": value},
        "contacts/link": {"address": value, "other": value},
        "contacts/unlink": {"address": value, "other": value},
        "knowledge": {"markdown": "# A\nb"},
        "knowledge/test": {"question": "Entrega?"},
        "knowledge/aliases": {"topic": value, "aliases": ["x"]},
        "channels": {"address": "+551140000010"},
    }
    return {"organization": 1} | fields.get(path, {})
