"""Two accounts that own the same address: the WhatsApp sandbox's number is shared by all the world."""

from contextlib import AsyncExitStack

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from appliance.simulator import SANDBOX, Twilio, simulator_app
from tests.simulator.simulated_world import ACCOUNT, SDK_WARNINGS, TOKEN, WHATSAPP_CUSTOMER, Double, LoopbackClient

pytestmark = SDK_WARNINGS
OTHER_ACCOUNT = "AC" + "9" * 32
OTHER_TOKEN = "8" * 32


@pytest.mark.parametrize("servers", [1, 2])
async def test_two_accounts_share_an_address(servers: int) -> None:
    """Behind one REST API or two: webhooks of both come to one URL, each signed by its own account's token, and each
    account lists, fetches, accepts and calls back what is its own.
    """
    one = Twilio(ACCOUNT, [TOKEN], owned=[SANDBOX], pace=0)
    two = Twilio(OTHER_ACCOUNT, [OTHER_TOKEN], owned=[SANDBOX], pace=0)
    apps = [simulator_app(one, others=[two])] if servers == 1 else [simulator_app(one), simulator_app(two)]
    double = Double(tokens={ACCOUNT: TOKEN, OTHER_ACCOUNT: OTHER_TOKEN})
    hears = web.Application()
    hears.router.add_route("*", "/{rest:.*}", double.hear)
    async with AsyncExitStack() as stack:
        double.base = str((await stack.enter_async_context(TestServer(hears))).make_url("")).rstrip("/")
        http = []
        for app in apps:
            url = (await stack.enter_async_context(TestServer(app))).make_url("")
            http.append(LoopbackClient(str(url).rstrip("/")))
            stack.push_async_callback(http[-1].close)
        clients = [
            Client(ACCOUNT, TOKEN, http_client=http[0]),
            Client(OTHER_ACCOUNT, OTHER_TOKEN, http_client=http[-1]),
        ]
        for twilio, client, body in zip((one, two), clients, ("1", "2"), strict=True):
            twilio.public_url = double.base
            await twilio.receive(WHATSAPP_CUSTOMER, SANDBOX, "Oi")
            await client.messages.create_async(
                from_=SANDBOX, to=WHATSAPP_CUSTOMER, body=body, status_callback=f"{double.base}/twilio/status"
            )
            await twilio.settle()
        listed = [await client.messages.list_async() for client in clients]
        with pytest.raises(TwilioRestException) as foreign:
            await clients[0].messages(listed[1][0].sid).fetch_async()
        with pytest.raises(TwilioRestException) as stranger:
            await Client(ACCOUNT, TOKEN, OTHER_ACCOUNT, http_client=http[-1]).messages(listed[1][0].sid).fetch_async()

    assert [sorted(message.body for message in messages) for messages in listed] == [["1", "Oi"], ["2", "Oi"]]
    assert all(valid for _, _, valid, _ in double.requests)
    assert [form["AccountSid"] for _, form, *_ in double.requests] == [ACCOUNT] * 5 + [OTHER_ACCOUNT] * 5
    assert {form["To"] for path, form, *_ in double.requests if path == "/twilio/messages"} == {SANDBOX}
    assert (foreign.value.code, stranger.value.code) == (20404, 20003)
    assert (one.posts, two.posts) == ({WHATSAPP_CUSTOMER: 1}, {WHATSAPP_CUSTOMER: 1})
