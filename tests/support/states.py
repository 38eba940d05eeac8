"""Every state that a page can be in: scenes of real events, and where in each of them a browser finds what."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Locator, Page

from appliance.operations import users
from appliance.operations.organizations import Registration, register_organization
from appliance.store import Tx
from appliance.wire import Media
from tests.statement.scene import hours
from tests.support.fake_ai import FakeAi
from tests.support.visitor import Visitor
from tests.support.world import CUSTOMER, SMS, WHATSAPP, ManualClock, World
from tests.web.pages.threads_scene import (
    ANA,
    JOAO,
    LIVIA,
    NOON,
    OSVALDO,
    RAFAEL,
    asked,
    burst,
    left,
    minutes,
    say,
    teach,
    undelivered,
    unsure,
)

OLGA, PEDRO, NEIDE, TIAGO, BIA = (f"whatsapp:+55119555501{n}" for n in (51, 52, 53, 54, 55))
THEIRS = "+551140000009"  # the second organization's channel
LONG = "Pneumoultramicroscopicossilicovulcanoconiótico" * 3
Act = Callable[[Page], Awaitable[None]]


@dataclass(frozen=True)
class State:
    """`act`: what is done on the page after it is there. `shows`: a selector of what makes it this state."""

    name: str
    path: str
    act: Act | None = None
    shows: str = "main"
    is_refusal: bool = False  # chromium tells its console of one
    is_signed_in: bool = True


@dataclass
class Scene:
    """`visitor`: whose session the browser has. `has_door`: with pages that speak the organization's language."""

    world: World
    visitor: Visitor
    states: list[State]
    has_door: bool = False

    async def speak(self, language: str) -> None:
        """All that is read here is in this language from now on, but for customers' words and answers to them."""

        def speak(tx: Tx) -> None:
            tx.sql.run("UPDATE users SET language = ?", language)
            if self.has_door:
                tx.sql.run("UPDATE organizations SET language = ?", language)

        await self.world.appliance.store.write(speak)


def opened(selector: str) -> Act:
    """A menu, a fold or a table behind a chart, with whatever is around it."""

    async def act(page: Page) -> None:
        found = page.locator(selector).first
        await found.evaluate(
            "it => { for (let e = it.parentElement; e; e = e.parentElement) if (e.open === false) e.open = true }"
        )
        await found.locator("> summary").click()

    return act


def sent(action: str, button: str = "", **fields: str) -> Act:
    """A form with this action, filled in past what the browser would let pass."""

    async def act(page: Page) -> None:
        form = page.locator(f"form[action='{action}']").first
        for name, value in fields.items():
            field = form.locator(f"[name='{name}']").first
            await field.evaluate("(it, value) => { it.maxLength = 1e6; it.value = value }", value)
        await submitted(form, button)

    return act


async def submitted(form: Locator, button: str = "") -> None:
    async with form.page.expect_navigation():
        await form.evaluate(
            "(it, name) => { it.noValidate = true; it.requestSubmit(name ? it.querySelector(name) : null) }", button
        )


def wrong(times: int) -> Act:
    """So many wrong passwords."""

    async def act(page: Page) -> None:
        for _ in range(times):
            await sent("/sign-in", email="owner@example.com", password="not this one")(page)

    return act


async def thread_of(world: World, address: str) -> str:
    """The path of a customer's page."""
    ids = await world.column(
        "SELECT max(v.id) FROM conversations v JOIN contacts c ON c.id = v.contact_id WHERE c.address = ?", address
    )
    return f"/conversations/{ids[0]}"


@asynccontextmanager
async def day(directory: Path) -> AsyncIterator[Scene]:
    """A bakery with all that can be open at once."""
    async with World(directory, clock=ManualClock(NOON), twilio={"catch_up_every": 0}) as world:
        await teach(world)
        await world.teach("Taxa de entrega", f"A taxa de entrega é de R$ 8,00. {LONG}")
        await say(world, OLGA, "Olga", "Qual o horário?")
        await say(world, BIA, "Bia", "Vocês fazem bolo sem açúcar?")
        await world.stop()
        await minutes_off(world, 25 * 60)
        await world.start()
        async with Visitor(world) as owner, Visitor(world, "ana@example.com") as ana:
            paths = await fill(world, owner, ana)
            yield Scene(world, owner, [*of_lists(), *of_threads(paths), *of_topics(), *of_settings(), *of_engine()])


async def minutes_off(world: World, count: float) -> None:
    """Time in which the appliance is off."""

    async def nothing() -> None: ...

    assert isinstance(world.clock, ManualClock)
    await world.clock.advance(count * 60, nothing)


async def fill(world: World, owner: Visitor, ana: Visitor) -> dict[str, str]:
    """Who wrote today; returns the page of each."""
    await asked(world)
    await undelivered(world)
    await left(world)
    await burst(world)
    await say(world, NEIDE, "", "Vocês têm panetone sem açúcar?", Media("", "audio/ogg"))
    await say(world, "+5511955550133", "", "horário")  # as João, by SMS
    await say(world, PEDRO, f"Pedro {LONG}", f"Qual o endereço? {LONG}")
    await say(world, TIAGO, "Tiago", "Oi")
    await owner.post(f"{await thread_of(world, PEDRO)}/reply", body=f"Aqui é a Marta. {LONG}", idempotency_key="1")
    await ana.post(f"{await thread_of(world, LIVIA)}/take")
    await owner.post(f"{await thread_of(world, NEIDE)}/pause", until="resume")
    await owner.post("/settings/forget", address=TIAGO)
    await minutes(world, 1)
    forgotten = f"/conversations/{(await world.column('SELECT max(id) FROM conversations'))[0]}"
    await unsure(world)
    await world.twilio.receive(CUSTOMER, "+551155550199", "Oi")
    await minutes(world, 0.1)
    await owner.post("/go-live/check")
    names = {"doubt": RAFAEL, "asked": JOAO, "undelivered": OSVALDO, "left": ANA, "taken": LIVIA, "yours": PEDRO}
    paths = {name: await thread_of(world, who) for name, who in names.items()}
    return paths | {
        "paused": await thread_of(world, NEIDE),
        "window": await thread_of(world, OLGA),
        "forgotten": forgotten,
    }


ALERT = "[role=alert]:not([hidden])"


def of_lists() -> list[State]:
    return [
        State("home", "/", None, "#cards .btn.primary"),
        State("home-dismiss", "/", opened("[id^=dismiss-]"), "#cards .panel input"),
        State("home-pause", "/", opened("#pause"), "#pause .panel button"),
        State("home-numbers", "/", opened("details.numbers"), ".numbers td"),
        State("conversations", "/conversations", None, "#people .tag.warn"),
        State("conversations-waiting", "/conversations?show=waiting", None, "#people .tag.warn"),
        State("conversations-yours", "/conversations?show=yours", None, "#people .tag.good"),
        State("conversations-trouble", "/conversations?show=trouble", None, "#people .tag.bad"),
        State("search", "/conversations?q=horario", None, "#people .person"),
        State("search-nobody", "/conversations?q=nobody", None, "#person-none"),
    ]


def of_threads(paths: dict[str, str]) -> list[State]:
    shows = {
        "doubt": ".msg.doubt",
        "asked": "#hands-asked",
        "undelivered": ".msg.failed .trouble",
        "left": ".shut",
        "taken": "#hands-taken",
        "yours": ".msg.me",
        "paused": "#paused",
        "window": ".shut",
        "forgotten": ".shut",
    }
    here = paths["yours"]
    return [
        *(State(f"thread-{name}", path, None, shows[name]) for name, path in paths.items()),
        State("thread-files", paths["taken"], None, ".media.photo"),
        State("thread-pause", paths["doubt"], opened("#pause"), "#pause .panel button"),
        State("thread-refused", here, sent(f"{here}/reply", body="x" * 1_700), ALERT, is_refusal=True),
    ]


def of_topics() -> list[State]:
    new = "/topics/new?question=Tem+bolo+sem+gl%C3%BAten%3F"
    return [
        State("topics", "/topics", None, "#unanswered .btn.primary"),
        State("topics-test", "/topics?q=Qual+o+hor%C3%A1rio%3F", None, ".scores .good"),
        State("topics-menu", "/topics?q=entrega", None, ".scores"),
        State("topics-unknown", "/topics?q=Voc%C3%AAs+consertam+bicicletas%3F", None, ".split form .btn.primary"),
        State("topics-thanks", "/topics?q=obrigado", None, ".sticky .hint"),
        State("topic", "/topics/5", None, "#shown"),
        State("topic-delete", "/topics/5", opened("main details.menu"), ".panel .danger"),
        State("topic-preview", "/topics/5", sent("/topics/5", "[value=preview]", body="- Um\n- **Dois**"), "#shown"),
        State("topic-refused", "/topics/5", sent("/topics/5", title=" "), ALERT, is_refusal=True),
        State(
            "topic-behind",
            "/topics/5",
            sent("/topics/5", version="x", body="Sim."),
            f"{ALERT}, #shown + p",
            is_refusal=True,
        ),
        State("topic-new", "/topics/new", None, "#title"),
        State("topic-teach", new, None, ".preview .msg.in"),
        State("topic-teach-asked", "/topics/new?unanswered=1", None, ".preview .msg.in"),
        State("topic-taken", new, sent("/topics", title="Entrega", body="Sim."), ALERT, is_refusal=True),
    ]


def of_settings() -> list[State]:
    people = "section[aria-labelledby=users] details.menu"
    refused = {
        "business": {"name": " "},
        "manner": {"instructions": "x" * 20_001},
        "texts": {"body": "{name}"},
        "hours": {"0-0-from": "08:00"},
        "users#users": {"email": "ana@example.com"},
        "export": {"address": "12"},
    }
    forget = sent("/settings/export", "[formaction='/settings/forget']", address=JOAO)
    return [
        State("settings", "/settings", None, "#forgettings .check"),
        State("settings-spanish", "/settings?texts=es", None, "textarea[lang=es]"),
        State("settings-text", "/settings", opened("#text-menu"), "#t-menu"),
        State("settings-remove", "/settings", opened(people), f"{people} .danger"),
        State(
            "settings-forget", "/settings", opened("section[aria-labelledby=customers] details.menu"), ".panel .danger"
        ),
        State("settings-alike", "/settings", forget, "[name=also-1], [name=also-0]", is_refusal=True),
        State("settings-link", "/settings", sent("/settings/users#users", email="lia@example.com"), "#new-link"),
        *(
            State(f"settings-{name}", "/settings", sent(f"/settings/{name}", **fields), ALERT, is_refusal=True)
            for name, fields in refused.items()
        ),
    ]


def of_engine() -> list[State]:
    return [
        State("engine", "/engine", None, "#orphan-list"),
        State("engine-discard", "/engine", opened("[id^=discard-]"), ".panel .danger"),
        State("go-live", "/go-live", None, "#checked:not(:empty)"),
        State("nothing-there", "/topics/999", None, "main.door", is_refusal=True),
    ]


@asynccontextmanager
async def calm(directory: Path) -> AsyncIterator[Scene]:
    """Everybody was answered."""
    async with World(directory, clock=ManualClock(NOON)) as world:
        await teach(world)
        await say(world, OSVALDO, "", "Qual o horário?")
        async with Visitor(world) as owner:
            states = [
                State("home-calm", "/", None, ".dot.good"),
                *(
                    State(f"nobody-{show}", f"/conversations?show={show}", None, "#person-none")
                    for show in ("waiting", "yours", "trouble")
                ),
                State("thread-calm", "/conversations/1", None, ".msg.out svg"),
                State("topics-calm", "/topics", None, "#asked-none"),
                State("engine-calm", "/engine", None, "#letter-none"),
                State("go-live-live", "/go-live", None, "#step-first.done"),
            ]
            yield Scene(world, owner, states)


@asynccontextmanager
async def first(directory: Path) -> AsyncIterator[Scene]:
    """A box that has heard of nobody yet; and the door."""
    async with World(directory, clock=ManualClock(NOON)) as world, Visitor(world):

        def links(tx: Tx) -> list[str]:
            return [users.link(tx, users.find(tx, name)) for name in ("dono@example.com", "owner@example.com")]

        word, used = await world.appliance.store.write(links)
        await world.appliance.store.write(lambda tx: users.redeem(tx, used, "x"))
        states = [
            State("home-first", "/", None, "#step-box"),
            State("conversations-empty", "/conversations", None, "#person-none .btn"),
            State("topics-empty", "/topics", None, "#topic-none"),
            State("topics-empty-test", "/topics?q=oi", None, ".preview"),
            State("engine-first", "/engine", None, "#statement-none"),
            State("go-live-waiting", "/go-live", None, ".pulse"),
            State("link", f"/link/{word}", None, "#password", is_signed_in=False),
            State("link-refused", f"/link/{word}", redeemed, ALERT, is_refusal=True, is_signed_in=False),
            State("link-used", f"/link/{used}", None, "a[href='/sign-in']", is_refusal=True, is_signed_in=False),
            State("sign-in", "/sign-in", None, "#password", is_signed_in=False),
            State("sign-in-wrong", "/sign-in", wrong(1), ALERT, is_refusal=True, is_signed_in=False),
            State("sign-in-locked", "/sign-in", wrong(3), ALERT, is_refusal=True, is_signed_in=False),
        ]
        async with Visitor(world) as owner:  # whoever follows a link is signed out elsewhere
            yield Scene(world, owner, states, has_door=True)


async def redeemed(page: Page) -> None:
    """With a password that is none."""
    await page.locator("#password").evaluate("it => { it.value = 'short' }")
    await submitted(page.locator("form"))


@asynccontextmanager
async def refused(directory: Path) -> AsyncIterator[Scene]:
    """Twilio refuses the key, and calls with a signature of another address."""
    async with World(directory, clock=ManualClock(NOON)) as world, Visitor(world) as owner:
        await teach(world)
        await say(world, OSVALDO, "", "Qual o horário?")
        world.twilio.revoked = True
        await say(world, RAFAEL, "Rafael", "Qual o endereço?")
        world.twilio.public_url = world.address.replace("127.0.0.1", "localhost")
        for body in ("Oi", "Bom dia", "Tem alguém aí?"):
            await world.twilio.receive(JOAO, WHATSAPP, body)
        await minutes(world, 6)
        await owner.post("/go-live/check")
        states = [
            State("refused-home", "/", None, ".dot.bad"),
            State("refused-engine", "/engine", None, "#parts .bad"),
            State("refused-go-live", "/go-live", None, "#steps .off code"),
        ]
        yield Scene(world, owner, states)


@asynccontextmanager
async def unreachable(directory: Path) -> AsyncIterator[Scene]:
    """Nobody answers at Twilio's address."""
    async with World(directory, clock=ManualClock(NOON)) as world, Visitor(world) as owner:
        await teach(world)
        await say(world, OSVALDO, "", "Qual o horário?")
        await world.twilio_line.cut()
        await say(world, RAFAEL, "Rafael", "Qual o endereço?")
        await minutes(world, 6)
        states = [
            State("unreachable-home", "/", None, ".dot.bad"),
            State("unreachable-engine", "/engine", None, "#parts .bad"),
            State("unreachable-thread", "/conversations/2", None, ".msg.out, .event"),
        ]
        yield Scene(world, owner, states)


@asynccontextmanager
async def paused(directory: Path) -> AsyncIterator[Scene]:
    """Outside the opening hours; nobody is answered until a time."""
    async with World(directory, clock=ManualClock(NOON)) as world, Visitor(world) as owner:
        await teach(world)
        await owner.post("/settings/hours", 303, **{"0-0-from": "08:00", "0-0-to": "18:00"})
        await say(world, NEIDE, "Dona Neide", "Vocês consertam bicicletas?")
        await owner.post("/pause", until="1h")
        await say(world, RAFAEL, "Rafael", "Qual o endereço?")
        states = [
            State("paused-home", "/", None, "#resume .primary"),
            State("paused-thread", "/conversations/2", None, ".msg.in"),
            State("promised", "/conversations/1", None, "#hands-promised"),
            State("settings-with-hours", "/settings", None, "[value=always]"),
        ]
        yield Scene(world, owner, states)


@asynccontextmanager
async def two(directory: Path) -> AsyncIterator[Scene]:
    """Two organizations whose answers a model writes; one looks after both, and the whole box is paused."""
    model = FakeAi()
    async with World(directory, clock=ManualClock(NOON), model=model) as world:
        await teach(world)
        second = Registration("Florista & Filhos <da Serra>", [THEIRS], "f@example.com")
        await world.appliance.store.write(lambda tx: register_organization(tx, second))
        world.twilio.owned = [*world.twilio.owned, THEIRS]
        await say(world, RAFAEL, "Rafael", "Qual o endereço?")
        model.fault = "bad_key_401"
        await say(world, JOAO, "João", "Qual o horário?")
        for body in ("Oi, aqui é a Marta.", "Já separei."):
            world.twilio.schedule(SMS, OSVALDO, body, created=NOON, sent=NOON)
        await hours(world, 2)
        async with Visitor(world, "root@example.com", admin=True) as root:
            question = "/topics?q=Qual+o+hor%C3%A1rio%3F"
            states = [
                State("two-home", "/", None, "#look-at-everywhere"),
                State("two-settings", "/settings", None, "#look-at-here"),
                State("two-engine", "/engine", None, "#statement-days"),
                State("model-thread", "/conversations/1", None, ".msg.out"),
                State("model-offered", question, None, "#costs"),
                State("model-failed", question, sent("/topics/test#test"), ".alert"),
            ]
            yield Scene(world, root, states)


SCENES: dict[str, Callable[[Path], AbstractAsyncContextManager[Scene]]] = {
    each.__name__: each for each in (day, calm, first, refused, unreachable, paused, two)
}
