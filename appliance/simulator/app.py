"""The simulator as an aiohttp application, and a way to run it."""

import asyncio
from collections.abc import Sequence

from aiohttp import web

from appliance.simulator import console, phone, rest, tools
from appliance.simulator.access import ACCOUNTS, TWILIO
from appliance.simulator.guard import add_headers, guard
from appliance.simulator.phone import PHONE, Phone
from appliance.simulator.rest import CLOSING, twilio_answers
from appliance.simulator.twilio import Twilio

SHUTDOWN_TIMEOUT = 2.0


def simulator_app(twilio: Twilio, phone_page: Phone | None = None, others: Sequence[Twilio] = ()) -> web.Application:
    """REST API, `/simulator/` tools and the phone page. Closing the application closes `twilio`.

    `others`: more accounts behind the same REST API, closed as well; the page belongs to the first.
    """
    app = web.Application(middlewares=[guard, twilio_answers])
    app[TWILIO], app[CLOSING], app[PHONE] = twilio, asyncio.Event(), phone_page or Phone()
    app[ACCOUNTS] = {account.account_sid: account for account in (twilio, *others)}
    app.add_routes(console.routes)  # first: what it does not have is unknown to the other
    app.add_routes(rest.routes)
    app.add_routes(tools.routes)
    phone.add_to(app)
    app.on_response_prepare.append(add_headers)
    app.on_startup.append(_resume)
    app.on_shutdown.append(_end_long_answers)
    app.on_cleanup.append(_close)
    return app


async def _resume(app: web.Application) -> None:
    for twilio in app[ACCOUNTS].values():
        twilio.delivery.resume()


async def _end_long_answers(app: web.Application) -> None:
    app[CLOSING].set()


async def _close(app: web.Application) -> None:
    for twilio in app[ACCOUNTS].values():
        await twilio.close()


async def run_simulator(app: web.Application, host: str, port: int) -> web.AppRunner:
    """Serve until `cleanup()` of the returned runner. Port 0 takes a free one; `addresses[0]` says which.

    Raises OSError when the port is taken.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError:
        await runner.cleanup()
        raise
    return runner
