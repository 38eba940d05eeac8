"""A simulated Twilio beside a small appliance double, as the tests of the simulator use them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from multidict import MultiDict
from twilio.base.exceptions import TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from appliance.simulator import Twilio, simulator_app

# The SDK passes aiohttp's `auth`, which goes away in aiohttp 4; the project pins aiohttp below that.
SDK_WARNINGS = pytest.mark.filterwarnings("ignore:The 'auth' parameter is deprecated:DeprecationWarning")

ACCOUNT = "AC" + "0" * 32
TOKEN = "1" * 32
OLD_TOKEN = "2" * 32
SMS = "+551140000000"
WHATSAPP = "whatsapp:+551140000000"
CUSTOMER = "+5511987654321"
WHATSAPP_CUSTOMER = "whatsapp:+5511987654321"
HOUR = 3_600_000


class LoopbackClient(AsyncTwilioHttpClient):  # type: ignore[misc]  # twilio has no types
    """The SDK's own client, led to the simulator."""

    def __init__(self, base: str, seconds: float = 10.0) -> None:
        super().__init__()
        self.base = base
        self.seconds = seconds

    async def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        async with asyncio.timeout(self.seconds):
            return await super().request(method, url.replace("https://api.twilio.com", self.base, 1), *args, **kwargs)


@dataclass
class Double:
    """An appliance that only records: every webhook with its verdict on the signature, by the account's own token."""

    requests: list[tuple[str, MultiDict[str], bool, str]] = field(default_factory=list)
    answer: Callable[[], web.Response] = lambda: web.Response(text="<Response/>", content_type="text/xml")
    base: str = ""
    tokens: dict[str, str] = field(default_factory=lambda: {ACCOUNT: TOKEN})

    async def hear(self, request: web.Request) -> web.Response:
        posted = MultiDict((name, str(value)) for name, value in (await request.post()).items())
        form = posted if request.method == "POST" else MultiDict(request.query)
        signature = request.headers["X-Twilio-Signature"]
        valid = RequestValidator(self.tokens[form["AccountSid"]]).validate(
            self.base + request.raw_path, posted, signature
        )
        self.requests.append((request.raw_path, form, valid, request.headers["I-Twilio-Idempotency-Token"]))
        return self.answer()

    def statuses(self, path: str = "/twilio/status") -> list[str]:
        return [form["MessageStatus"] for url, form, _, _ in self.requests if url.startswith(path)]


@dataclass
class World:
    twilio: Twilio
    double: Double
    client: Client
    base: str
    clock: list[int]

    async def send(self, **changes: Any) -> Any:
        """Create one message with a status callback."""
        values = {
            "from_": SMS,
            "to": CUSTOMER,
            "body": "Olá",
            "status_callback": f"{self.double.base}/twilio/status?o=7.1.ab%2Fc",
        }
        return await self.client.messages.create_async(**(values | changes))

    async def bodies(self, **filters: Any) -> list[str]:
        return [message.body for message in await self.client.messages.list_async(**filters)]

    async def outcome(self, **changes: Any) -> tuple[int, int]:
        """HTTP status and Twilio's code of a refused create."""
        with pytest.raises(TwilioRestException) as raised:
            await self.send(**changes)
        return raised.value.status, raised.value.code


@asynccontextmanager
async def simulated_world() -> AsyncIterator[World]:
    """A simulator and a double, each on its own port."""
    clock = [1_800_000_000_000]
    twilio = Twilio(ACCOUNT, [TOKEN, OLD_TOKEN], owned=[SMS, WHATSAPP], now=lambda: clock[0], pace=0)
    double = Double()
    hears = web.Application()
    hears.router.add_route("*", "/{rest:.*}", double.hear)
    async with TestServer(simulator_app(twilio)) as server, TestServer(hears) as heard:
        double.base = str(heard.make_url("")).rstrip("/")
        twilio.public_url = double.base
        http_client = LoopbackClient(str(server.make_url("")).rstrip("/"))
        yield World(twilio, double, Client(ACCOUNT, TOKEN, http_client=http_client), http_client.base, clock)
        await http_client.close()
