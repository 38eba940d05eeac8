"""Two organizations in one box: what is asked about one shows nothing of the other, by API, command line and metrics."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from appliance.config import Config
from appliance.operations.organizations import Registration, register_organization
from appliance.web.api import Api
from appliance.web.cards import Cards
from appliance.web.conversations import Conversations
from appliance.web.hands import Hands
from appliance.web.pauses import Pauses
from appliance.web.persons import Persons
from appliance.web.probes import Probes
from appliance.web.settings import Settings
from appliance.web.statements import Statements
from appliance.web.status import Status
from appliance.web.unanswered import Unanswered
from appliance.web.users import Users
from tests.privacy.scene import NAME, WORDS, live, states
from tests.support.api_client import ApiClient, api_of, control_of
from tests.support.command_line import CommandLine, write_config
from tests.support.walls import open_methods
from tests.support.world import API_KEY, CUSTOMER, SMS, World

STORE = Path(__file__).parents[1] / "appliance" / "store"
THEIRS = "+551140000009"  # the second organization's channel
ITS_CUSTOMER = "+5511955554444"
SECRETS = [CUSTOMER[1:], NAME, *WORDS]
# What shows customers' data of an organization that is named, what is the box's by its nature and shows none, …
NAMED = {"GET cards", "GET messages", "GET dead-letters", "GET knowledge", "GET contacts", "POST contacts/export",
         "POST contacts/forget", "POST knowledge", "POST knowledge/test", "POST conversations/{conversation}/resume",
         "POST channels", "DELETE knowledge", "POST knowledge/aliases", "GET contacts/links", "GET statement",
         "POST contacts/link", "POST contacts/unlink", "POST conversations/{conversation}/take",
         "POST conversations/{conversation}/reply", "GET conversations", "GET conversations/{id}", "GET pauses", "POST pause",
         "POST resume", "POST conversations/{conversation}/pause", "GET organization", "PATCH organization",
         "GET texts", "PUT texts", "DELETE texts", "GET unanswered",
         "POST unanswered/{id}/put-away"}  # fmt: skip
OF_THE_BOX = {"GET status", "GET verify", "GET organizations", "GET channels", "GET contacts/forgotten", "POST backups",
              "POST jobs/{kind}", "POST organizations", "POST channels/move"}  # fmt: skip
# How a test of the way in arrived, and who may look in; never over HTTP.
ON_THE_SOCKET = {"POST probes", "GET probes/{nonce}", "GET users", "POST users", "POST users/password",
                 "POST users/link"}  # fmt: skip
# … and what is the box's alone and shows them: to whoever has its key.
WHOLE_BOX = {"GET orphans", "POST cards/{id}/dismiss", "POST messages", "POST dead-letters/retry", "DELETE dead-letters",
             "POST dead-letters/{id}/retry", "DELETE dead-letters/{id}", "GET messages/{sid}/silence", "DELETE channels/{address}"}  # fmt: skip


BODIES: dict[str, dict[str, object]] = {
    "contacts/export": {"address": CUSTOMER},
    "contacts/forget": {"address": CUSTOMER},
    "knowledge": {"markdown": "# A\nb"},
    "knowledge/test": {"question": "Oi?"},
    "channels": {"address": "+551140000010"},
    "organization": {"contact": "+551140000011"},
    "texts": {"key": "away", "body": "Fechado."},
}


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[World]:
    """The first organization's customer has left something everywhere; one customer of the second wrote as well."""
    async with World(tmp_path) as world:
        world.twilio.owned = [*world.twilio.owned, THEIRS]
        second = Registration("Florista", [THEIRS], "f@example.com")
        await world.appliance.store.write(lambda tx: register_organization(tx, second))
        await live(world)
        await world.say("quero falar com uma pessoa")
        await world.settle()
        await world.say("Oi", ITS_CUSTOMER, THEIRS)
        await world.settle()
        yield world


def routes() -> set[str]:
    app = web.Application()
    desk: Any = type("Desk", (), {"store": None, "config": Config(), "untold": None})
    of_whom = (Api(desk, ""), Persons(desk, ""), Hands(desk, ""), Pauses(desk, ""), Statements(desk))
    for part in (
        *of_whom,
        Cards(desk),
        Conversations(desk),
        Status(desk),
        Probes(""),
        Users(desk),
        Settings(desk),
        Unanswered(desk),
    ):
        part.add_to(app)
    found = {(each.method, each.resource.canonical) for each in app.router.routes() if each.resource}
    return {f"{method} {path.removeprefix('/api/v1/')}" for method, path in found if method != "HEAD"}


def test_every_route_says_whose_it_is() -> None:
    """A new route is put on one side of the walls, or fails here."""
    assert routes() == NAMED | OF_THE_BOX | ON_THE_SOCKET | WHOLE_BOX


def test_every_statement_says_whose_rows_it_reads() -> None:
    """A method of the store that gives out customers' data takes an organization, or what belongs to one, or is named
    after the box.
    """
    assert open_methods(STORE) == []


def test_the_check_finds_what_says_neither(tmp_path: Path) -> None:
    """Whole rows, personal columns, through a view and by a private helper; counts, and what says whose, pass."""
    (tmp_path / "bad.py").write_text("""
class Outbox(Repository):
    table = "outgoing"
    def oldest(self): return self._select("true")
    def of(self, contact_id): return self._select("contact_id = ?", contact_id)
    def all_in_the_box(self): return self._select("true")
class Reading:
    def words(self): return self._sql.all("SELECT m.body FROM messages m")
    def everything(self): return self._sql.all(f"SELECT * FROM {x} JOIN contacts")
    def count(self): return self._sql.value("SELECT count(*) FROM messages")
    def keyed(self): return self._sql.all("SELECT kind FROM cards WHERE text = 'x'")
""")

    assert open_methods(tmp_path) == ["bad.py: Outbox.oldest", "bad.py: Reading.words", "bad.py: Reading.everything"]


def shown(answer: object) -> list[str]:
    """Which of the first organization's customer's marks are in an answer."""
    return [word for word in SECRETS if word in str(answer)]


async def by_name(api: ApiClient, route: str, owner: int) -> Any:
    method, _, path = route.partition(" ")
    number = CUSTOMER.replace("+", "%2B")
    if method in ("POST", "PUT", "PATCH") and path in BODIES:
        return await api.call(method, path, BODIES[path] | {"organization": owner})
    body = {"body": "Oi"} if path.endswith("/reply") else None
    path = path.replace("{conversation}", number).replace("{id}", "1")
    return await api.call(method, f"{path}?address={number}&contact={number}&organization={owner}", body)


@pytest.mark.parametrize("client", [api_of, control_of])
async def test_who_asks_about_one_sees_nothing_of_the_other(two: World, client: Any) -> None:
    """Each route that takes an organization, asked about the other one's customer in the name of the second."""
    async with client(two) as api:
        answers = {route: await by_name(api, route, 2) for route in sorted(NAMED)}
        assert {route: shown(answer) for route, answer in answers.items() if shown(answer)} == {}
        of_first = {route: shown(await by_name(api, route, 1)) for route in ("GET messages", "POST contacts/export")}

    for route in ("GET contacts", "POST contacts/export", "POST contacts/forget"):
        assert answers[route][0] == 404, answers[route]
    for action in ("resume", "take", "reply", "pause"):
        assert answers[f"POST conversations/{{conversation}}/{action}"][0] == 404
    assert of_first["POST contacts/export"] == SECRETS
    assert len(of_first["GET messages"]) >= len(WORDS) - 2
    assert await states(two) == []
    assert await two.column("SELECT handover FROM contacts WHERE address = ?", CUSTOMER) == ["asked"]


async def test_what_is_the_boxs_shows_no_customer(two: World) -> None:
    """Status, verify, organizations, channels, the forgotten, metrics: counts, no words and no addresses of customers."""
    async with api_of(two) as api:
        for route in sorted(route for route in OF_THE_BOX if route.startswith("GET")):
            assert shown(await api.get(route.removeprefix("GET "))) == [], route
        for route in ON_THE_SOCKET:
            method, _, path = route.partition(" ")
            assert (await api.call(method, path))[0] == 404, route
    headers = {"X-API-Key": API_KEY}
    async with aiohttp.request("GET", f"{two.address}/metrics", headers=headers) as response:
        text = await response.text()
    assert "appliance_messages" in text
    assert [word for word in (*SECRETS, ITS_CUSTOMER[1:], "Florista", SMS[1:]) if word in text] == []


async def test_the_command_line_has_the_same_walls(two: World) -> None:
    """Every command that takes --org, in the name of the second organization."""
    cli = CommandLine(write_config(two.directory / "config.toml", two.config))
    archive = str(two.directory / "out.zip")
    for arguments in (
        ("dead-letters", "list"),
        ("knowledge", "list"),
        ("resume", "--conversation", CUSTOMER),
        ("export", CUSTOMER, "--output", archive),
        ("forget", CUSTOMER, "--yes"),
    ):
        done = await cli(*arguments, "--org", "Florista")
        assert [word for word in (NAME, *WORDS) if word in done.output] == [], arguments
    assert not Path(archive).exists()
    assert await states(two) == []


async def test_somebody_whom_both_know(two: World) -> None:
    """Which one is meant must be said; forgotten by one, the other knows as much as before."""
    await two.say("Flores?", CUSTOMER, THEIRS)
    await two.settle()
    async with control_of(two) as api:
        status, answer = await api.post("contacts/export", {"address": CUSTOMER})
        assert (status, answer["error"]["code"]) == (409, "which_organization")
        status, answer = await api.post("contacts/export", {"address": CUSTOMER, "organization": "Florista"})
        assert (status, shown(answer["transcript"])) == (200, [CUSTOMER[1:]])
        status, _ = await api.post("contacts/forget", {"address": CUSTOMER, "organization": 2})
        await two.settle()
        _, answer = await api.post("contacts/export", {"address": CUSTOMER})

    assert status == 202
    assert shown(answer) == SECRETS
    assert await two.column("SELECT address FROM contacts ORDER BY id DESC LIMIT 1") == ["forgotten:3"]
    assert await two.column("SELECT body FROM orphaned_messages") == [f"Enganei-me: {WORDS[4]}"]
