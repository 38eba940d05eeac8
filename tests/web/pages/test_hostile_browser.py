"""Hostile texts in a real browser: no element more than with harmless ones; nothing runs, asks or complains."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest
from playwright.async_api import Dialog, Page

from tests.support.browsing import CHROMIUM, Look, chromium, window
from tests.support.fake_ai import FakeAi
from tests.support.neighbours import MARK, THEIRS, ids, owned, settle_down
from tests.support.visitor import Visitor
from tests.support.world import WHATSAPP, ManualClock, World
from tests.web.pages import test_hostile_texts as written
from tests.web.pages.test_tenants import kind_of, routes

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: sudo apt install chromium")
ODD = [
    "{{7*7}}${7*7}#{7*7}<%= 7*7 %>", "{% include 'base.html' %}", "{x}{0}{0.__class__}{count!r:>9}", "%s%d%(x)s%n%",
    "</script><script>alert(1)</script>", "javascript:alert(1)", "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)", "background:url(//evil.example/x)", "expression(alert(1))",
    "@import '//evil.example/x.css'", "\u202egnirts desrever\u202c", "\u2066\u2067\u2068\u2069\u200f\u200e",
    "Z\u0351\u036b\u0343a\u030a\u0328l\u034d\u0311g\u0359\u0357o\u0321" * 20, "W" * 300, "\u200b\u200c\u200d\ufeff",
    "\x01\x02\x08\x0b\x7f", "NULL", "null", "None", "undefined", "NaN", "true", "' OR 1=1 --",
    "../../../../etc/passwd", "\ud800".encode("utf-8", "replace").decode(),
    "🏳️‍🌈👩‍👩‍👧‍👦" * 9, "<svg><animate onbegin=alert(1)>", "<svg><use href='data:image/svg+xml,<svg/>'/></svg>",
    "<math href=javascript:alert(1)>x", "<img srcset=//evil.example/x>",
    "<video src=//evil.example/x autoplay onloadstart=alert(1)>",
    "<input formaction=javascript:alert(1) type=submit>", "<button form=x formaction=//evil.example>",
    "<div popover id=reply data-live>", "<slot name=x>", "<noscript><p title='</noscript><img src=x>'>",
    "<plaintext>", "<xmp>", "<listing>", "<!DOCTYPE html>", "\u2028\u2029\n\r\n\t", "&#x3c;script&#x3e;",
    "<a ping=//evil.example href=/>x</a>",
]  # fmt: skip
PAYLOADS = [*ODD, *written.PAYLOADS][:200]
# Each element with the names of its attributes; which of them a wide word or a longer text changes is none of ours.
ELEMENTS = """() => [...document.querySelectorAll("*")].map(it =>
    `${it.localName} ${it.getAttributeNames().sort().join(" ")}`)"""


@dataclass
class Watched:
    """A window, what it asked the network for elsewhere, and the dialogs that opened."""

    look: Look
    own: str
    told: list[str] = field(default_factory=list)

    @property
    def page(self) -> Page:
        return self.look.page

    async def elements(self, path: str) -> Counter[str]:
        await self.page.goto(self.own + path)
        return Counter(await self.page.evaluate(ELEMENTS))

    async def opened(self, dialog: Dialog) -> None:
        self.told.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def faults(self) -> list[str]:
        """Since they were asked for last."""
        found = [*self.told, *self.look.complaints]
        self.told.clear()
        self.look.complaints.clear()
        return found


@asynccontextmanager
async def watched(world: World, visitor: Visitor) -> AsyncIterator[Watched]:
    """A browser with the visitor's cookies."""
    async with chromium() as browser, window(browser) as look:
        cookies = [
            {"name": each.key, "value": each.value, "url": world.address}
            for each in visitor.http.cookie_jar
            if each.key in ("session", "organization")
        ]
        await look.context.add_cookies(cookies)  # type: ignore[arg-type]
        found = Watched(look, world.address)
        look.page.on(
            "request", lambda asked: None if asked.url.startswith(world.address) else found.told.append(asked.url)
        )
        look.page.on("dialog", found.opened)
        look.page.on("popup", lambda page: found.told.append(f"popup: {page.url}"))
        yield found


async def places(world: World) -> list[str]:
    """A page of each kind with the second organization's things."""
    found = ids(await world.appliance.store.read(owned))
    paths = [path for method, path in routes(world) if method == "GET" and path not in ("/engine/report", "/sign-in")]
    return [
        *(path.replace("{id}", str(min(found[kind_of(path)]))) if "{id}" in path else path for path in paths),
        *(f"/conversations/{each}" for each in sorted(found["conversations"])[1:]),
        "/topics/new?unanswered=1",
    ]


async def hostile(directory: Path, together: int) -> None:
    """So many payloads in one text, in every text of the second organization and of the box."""
    count = 0
    async with World(directory, clock=ManualClock()) as world:
        await settle_down(world)
        texts = await world.appliance.store.read(written.Texts)
        async with Visitor(world, admin=True) as visitor:
            await visitor.post("/look-at", organization=str(THEIRS))
            async with watched(world, visitor) as browser:
                paths = await places(world)
                await visitor.get("/engine")  # has some things counted for the first time
                await world.settle()
                await world.appliance.store.write(partial(texts.write, text=MARK))
                harmless = {path: await browser.elements(path) for path in paths}
                assert browser.faults() == []
                for start in range(0, len(PAYLOADS), together):
                    payload = " ".join(PAYLOADS[start : start + together])
                    await world.appliance.store.write(partial(texts.write, text=payload))
                    for path in paths:
                        new = await browser.elements(path) - harmless[path]
                        count += 1
                        assert (new, browser.faults()) == (Counter(), []), (path, payload)
    print(f"{len(PAYLOADS)} payloads, {together} at a time, on {len(paths)} pages: {count} looks, nothing new")


async def test_no_element_no_request_no_complaint(tmp_path: Path) -> None:
    """In every place of the database that has a text of the second organization's."""
    assert len(set(PAYLOADS)) == 200
    await hostile(tmp_path, 20)


@pytest.mark.slow
async def test_few_at_a_time(tmp_path: Path) -> None:
    """As what is long may be cut before its end."""
    await hostile(tmp_path, 4)


async def test_what_comes_in_is_shown_as_it_is(tmp_path: Path) -> None:
    """As body, as name and as a model's answer, the way it comes in reality: a bubble is nothing but its words."""
    model = FakeAi()
    people = [PAYLOADS[start : start + 10] for start in range(0, len(PAYLOADS), 10)]
    async with World(tmp_path, clock=ManualClock(), model=model, language="en") as world, Visitor(world) as visitor:
        for number, payloads in enumerate(people):
            for payload in payloads:
                model.answer = f"A{payload}Z"
                name = {"ProfileName": payload.encode("utf-8", "replace").decode()[:200]}
                await world.say(f"A{payload}Z", f"whatsapp:+55119555500{number:02}", WHATSAPP, extra=name)
                await world.settle()
        threads = await world.column("SELECT id FROM conversations ORDER BY id")
        assert len(threads) == len(people)
        async with watched(world, visitor) as browser:
            shown: list[str] = []
            for each in threads:
                await browser.page.goto(f"{world.address}/conversations/{each}")
                shown += await browser.page.evaluate(
                    "[...document.querySelectorAll('.bubble')].map(it => it.innerText)"
                )
                inside = "document.querySelectorAll('.bubble > :not(span), .bubble span > *, .who h1 > *').length"
                assert (await browser.page.evaluate(inside), browser.faults()) == (0, [])
            for path in ("/", "/conversations", "/conversations?q=alert", "/engine"):
                await browser.page.goto(world.address + path)
                assert browser.faults() == []
    seen = {"".join(text.split()) for text in shown}
    kept = [payload for payload in PAYLOADS if "".join(f"A{payload}Z".split()) in seen]
    print(f"{len(kept)} of {len(PAYLOADS)} payloads are shown letter by letter, {len(shown)} bubbles")
    assert len(kept) > 180  # what is none of them has characters that no text has


async def test_the_watch_sees(tmp_path: Path) -> None:
    """A control: markup that gets into a page is counted, asks, and is told of by the CSP."""
    async with World(tmp_path, language="en") as world, Visitor(world) as visitor, watched(world, visitor) as browser:
        before = await browser.elements("/topics")
        await browser.page.evaluate(
            "const it = document.createElement('img'); it.src = '//evil.example/x'; document.body.append(it);"
            "setTimeout(() => alert(1))"
        )
        after = Counter(await browser.page.evaluate(ELEMENTS))
        told: list[str] = []

        def all_is_told() -> bool:
            told.extend(browser.faults())
            return "dialog: 1" in told and any("CSP" in each for each in told)

        await world.until(all_is_told)
    assert after - before == Counter({"img src": 1})
    assert "dialog: 1" in told and any("evil.example" in each for each in told) and any("CSP" in each for each in told)
