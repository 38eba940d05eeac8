"""The three web applications and what each of them serves to whom."""

from typing import Protocol

from aiohttp import web
from prometheus_client import CollectorRegistry

from appliance.twilio.webhook import MAX_BODY
from appliance.web.access import key_required
from appliance.web.api import Api
from appliance.web.cards import Cards
from appliance.web.conversations import Conversations
from appliance.web.desk import Desk, Faults
from appliance.web.errors import error_response, errors_as_json, harden
from appliance.web.hands import Hands as HandsApi
from appliance.web.health import Health, MetricsPage
from appliance.web.pages.books import Books
from appliance.web.pages.brakes import Brakes
from appliance.web.pages.checks import Checks
from appliance.web.pages.customers import Customers
from appliance.web.pages.door import Door
from appliance.web.pages.engine import Engine
from appliance.web.pages.events import Events
from appliance.web.pages.go_live import GoLive
from appliance.web.pages.hands import Hands
from appliance.web.pages.home import Home
from appliance.web.pages.letters import Letters
from appliance.web.pages.look_at import LookAt
from appliance.web.pages.people import People
from appliance.web.pages.problem import hidden, in_words
from appliance.web.pages.settings import Settings
from appliance.web.pages.site import Pages
from appliance.web.pages.threads import Threads
from appliance.web.pages.topics import Topics
from appliance.web.pauses import Pauses
from appliance.web.persons import Persons
from appliance.web.settings import Settings as SettingsApi
from appliance.web.statements import Statements
from appliance.web.status import Status
from appliance.web.unanswered import Unanswered
from appliance.web.users import Users

MAX_CONTROL_BODY = 8 * 1024 * 1024  # a whole file of knowledge as JSON, from the owner of the storage


class Part(Protocol):
    """Routes of one concern."""

    def add_to(self, app: web.Application) -> None: ...


def public(desk: Desk, registry: CollectorRegistry, faults: Faults, hooks: Part) -> web.Application:
    """What the network sees: webhooks, health, the API and metrics behind the key, the pages behind the sign-in."""
    guards = [in_words(desk), errors_as_json, key_required(desk.config.server.api_key), hidden(desk)]
    app = web.Application(client_max_size=MAX_BODY, middlewares=guards)
    return _with(app, hooks, *_of_whom(desk, "api"), *_common(desk, registry, faults), pages(desk))


def pages(desk: Desk) -> Pages:
    events, checks, threads, settings = Events(desk), Checks(desk), Threads(), Settings()
    home = Home(checks)
    books = Books(desk.store, events.tell_the_box)
    return Pages(
        desk,
        Door(desk),
        LookAt(),
        events,
        home,
        threads,
        Brakes(home.home, threads.thread),
        Hands(threads.thread),
        Letters(),
        Topics(),
        Engine(desk, books, checks),
        GoLive(checks),
        settings,
        People(desk, settings),
        Customers(settings.settings),
    )


def control(desk: Desk, registry: CollectorRegistry, faults: Faults, *more: Part) -> web.Application:
    """What the owner of the storage directory sees, without a key. `more`: what only an appliance that runs has."""
    app = web.Application(client_max_size=MAX_CONTROL_BODY, middlewares=[errors_as_json])
    return _with(app, *_of_whom(desk, "cli"), Users(desk), *_common(desk, registry, faults), *more)


def _of_whom(desk: Desk, who: str) -> tuple[Part, ...]:
    """What records who did it."""
    return Api(desk, who), Persons(desk, who), HandsApi(desk, who), Pauses(desk, who)


def _common(desk: Desk, registry: CollectorRegistry, faults: Faults) -> tuple[Part, ...]:
    common = (Status(desk), Cards(desk), Conversations(desk), Statements(desk), SettingsApi(desk), Unanswered(desk))
    return *common, Health(faults), MetricsPage(desk.store, registry)


def metrics(desk: Desk, registry: CollectorRegistry) -> web.Application:
    return _with(web.Application(middlewares=[errors_as_json]), MetricsPage(desk.store, registry))


def refusing(faults: Faults) -> web.Application:
    """While nothing can be stored: alive, not ready, and 503 for everything else."""

    async def refuse(_request: web.Request) -> web.Response:
        return error_response(503, "storage_unavailable", " ".join(await faults()))

    app = _with(web.Application(middlewares=[errors_as_json]), Health(faults))
    app.router.add_route("*", "/{path:.*}", refuse)
    return app


def _with(app: web.Application, *parts: Part) -> web.Application:
    app.on_response_prepare.append(harden)
    for part in parts:
        part.add_to(app)
    return app
