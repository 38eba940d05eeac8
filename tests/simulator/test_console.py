"""The resources behind Twilio's console, as unkind as its documents allow: what is not there, who may not, what empties."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from appliance.simulator import SANDBOX, Twilio, simulator_app
from appliance.simulator.settings import WELCOME, Setting, sid_of
from tests.simulator.simulated_world import ACCOUNT, CUSTOMER, SMS, TOKEN, WHATSAPP

BRANCH, BRANCH_TOKEN = "AC" + "1" * 32, "3" * 32
KEY, SECRET = "SK" + "0" * 32, "4" * 32
SERVICE = "MG" + "0" * 32
NUMBERS, SENDERS = f"/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers", "/v2/Channels/Senders"
PLACES = [f"/2010-04-01/Accounts/{ACCOUNT}.json", f"{NUMBERS}.json", "/v1/Services", f"{SENDERS}?Channel=whatsapp"]


class Rest:
    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session, self.base = session, base

    async def call(
        self, method: str, path: str, user: str = ACCOUNT, secret: str = TOKEN, **body: Any
    ) -> tuple[int, Any]:
        """Status and JSON; every answer tells the time."""
        login = {"Authorization": "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()}
        async with self.session.request(method, self.base + path, headers=login, **body) as response:
            assert response.headers["Date"].endswith("GMT")
            return response.status, await response.json()


@asynccontextmanager
async def rest(twilio: Twilio, *others: Twilio) -> AsyncIterator[Rest]:
    async with TestServer(simulator_app(twilio, others=others)) as server, aiohttp.ClientSession() as session:
        yield Rest(session, str(server.make_url("")).rstrip("/"))


@pytest.fixture
def twilio() -> Twilio:
    owned = [SMS, WHATSAPP, SANDBOX, "12345"]
    return Twilio(ACCOUNT, [TOKEN], owned=owned, api_keys={KEY: SECRET}, services={SERVICE: [SMS]}, pace=0)


async def test_what_is_not_there(twilio: Twilio) -> None:
    """20404, whatever the host; the sandbox is in nobody's list."""
    paths = ["/v1/Services/MG1", "/v1/Nothing", f"{SENDERS}/XE1", f"/2010-04-01/Accounts/{ACCOUNT}/Nothing.json"]
    async with rest(twilio) as api:
        told = [await api.call("GET", path) for path in paths]
        changed = await api.call("POST", f"{NUMBERS}/PN1.json", data={"SmsUrl": ""})
        _, senders = await api.call("GET", f"{SENDERS}?Channel=whatsapp")

    assert [(status, body["code"]) for status, body in [*told, changed]] == [(404, 20404)] * 5
    assert [each["sender_id"] for each in senders["senders"]] == [WHATSAPP]


async def test_who_may_not(twilio: Twilio) -> None:
    """A wrong token nothing; a key all but the account; on the messaging host a parent's login nothing of a
    subaccount's.
    """
    branch = Twilio(BRANCH, [BRANCH_TOKEN], owned=["+551140000010"], services={"MG" + "1" * 32: []}, parent=twilio)
    async with rest(twilio, branch) as api:
        wrong = [(await api.call("GET", path, secret="x"))[0] for path in PLACES]
        by_key = [(await api.call("GET", path, KEY, SECRET))[0] for path in PLACES]
        by_parent = await api.call("GET", f"/2010-04-01/Accounts/{BRANCH}/IncomingPhoneNumbers.json")
        services = [await api.call("GET", "/v1/Services", *login) for login in ((), (BRANCH, BRANCH_TOKEN))]

    assert (wrong, by_key) == ([401] * 4, [401, 200, 200, 200])
    assert [each["phone_number"] for each in by_parent[1]["incoming_phone_numbers"]] == ["+551140000010"]
    assert [[each["sid"] for each in body["services"]] for _, body in services] == [[SERVICE], ["MG" + "1" * 32]]


async def test_lists_have_pages(twilio: Twilio) -> None:
    """The older ones name a path, the newer ones a whole address; the filter finds parts of numbers."""
    twilio.owned = [f"+1555000{index:04}" for index in range(5)] + [
        f"whatsapp:+1555000{index:04}" for index in range(3)
    ]
    async with rest(twilio) as api:
        _, first = await api.call("GET", f"{NUMBERS}.json?PhoneNumber=1555000&PageSize=3")
        _, second = await api.call("GET", first["next_page_uri"])
        _, senders = await api.call("GET", f"{SENDERS}?Channel=whatsapp&PageSize=2")
        after = senders["meta"]["next_page_url"]
        _, rest_of = await api.call("GET", after.removeprefix("https://messaging.twilio.com"))

    assert [len(page["incoming_phone_numbers"]) for page in (first, second)] == [3, 2]
    assert (second["next_page_uri"], rest_of["meta"]["next_page_url"]) == (None, None)
    assert [len(page["senders"]) for page in (senders, rest_of)] == [2, 1]


async def test_a_senders_webhook(twilio: Twilio) -> None:
    """A list does not have it; a change wants JSON without null, and empties what it does not name."""
    twilio.settings.changed[WHATSAPP] = Setting(WELCOME, fallback=WELCOME)
    path = f"{SENDERS}/{sid_of('XE', ACCOUNT, WHATSAPP)}"
    async with rest(twilio) as api:
        _, listed = await api.call("GET", f"{SENDERS}?Channel=whatsapp")
        form = await api.call("POST", path, data={"webhook": "x"})
        null = await api.call("POST", path, json={"webhook": {"callback_url": WELCOME}, "profile": None})
        status, changed = await api.call("POST", path, json={"webhook": {"callback_url": "https://a.example/"}})

    assert (listed["senders"][0]["webhook"], form[0], null[0], status) == (None, 400, 400, 202)
    assert changed["webhook"]["callback_url"] == "https://a.example/"
    assert changed["webhook"]["fallback_url"] == ""


async def test_a_message_goes_where_the_webhook_leads(twilio: Twilio) -> None:
    """Not where it did before; nowhere with a TwiML app, nowhere where none is set."""
    twilio.public_url = "http://127.0.0.1:9"
    twilio.settings.changed["12345"] = Setting(f"{twilio.public_url}/other", application="AP" + "0" * 32)
    twilio.settings.changed[SMS] = Setting("")
    async with rest(twilio):
        heard = [(await twilio.receive(CUSTOMER, to, "Oi"))[1] for to in ("12345", SMS)]

    assert heard == [None, None]
    assert twilio.settings.in_force(SMS, twilio.services or {}) == SERVICE
    twilio.settings.defers.add(SERVICE)
    assert twilio.settings.in_force(SMS, twilio.services or {}) == SMS


async def test_a_method_that_is_none(twilio: Twilio) -> None:
    """Is refused, and so is everything while nothing may be changed."""
    path = f"/v1/Services/{SERVICE}"
    async with rest(twilio) as api:
        odd = await api.call("POST", path, data={"InboundMethod": "PUT"})
        well, _ = await api.call("POST", path, data={"InboundMethod": "POST"})
        twilio.settings.locked = True
        locked = await api.call("POST", path, data={"InboundRequestUrl": WELCOME})

    assert (odd[0], well, locked[0]) == (400, 200, 403)
