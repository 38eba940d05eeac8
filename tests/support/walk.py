"""An owner's day with the running demo, in a real browser: what is clicked, typed and seen, in whichever language."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from playwright.async_api import Locator, Page

from tests.support.browsing import Look

WHATSAPP = "whatsapp:+551140000001"
PASSWORD = "quatro palavras bem simples"
PATIENCE = 30.0  # seconds, on a busy machine
SILENCE = 4.0  # seconds in which an answer would have come
JOAO, ANA, NEIDE, LIVIA = (f"whatsapp:+55119555501{n:02}" for n in (4, 5, 3, 9))
NAMES = {JOAO: "João Pedro Lima", ANA: "Ana Paula Martins", NEIDE: "Dona Neide", LIVIA: "Lívia Andrade"}


async def soon(condition: Callable[[], Awaitable[Any]]) -> Any:
    """What it returns as soon as that is something."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await condition()):
            await asyncio.sleep(0.1)
    return found


@dataclass
class Customers:
    """The simulator's phones, by its own HTTP."""

    phone: str
    http: aiohttp.ClientSession

    async def say(self, who: str, body: str, **more: Any) -> None:
        asked = {"from": who, "to": WHATSAPP, "body": body, "extra": {"ProfileName": NAMES.get(who, "")}} | more
        async with self.http.post(f"{self.phone}/simulator/messages", json=asked) as response:
            assert (await response.json())["status"] == 200

    async def answers(self, who: str) -> list[str]:
        """What has reached a customer, oldest first."""
        async with self.http.get(f"{self.phone}/simulator/messages", params={"contact": who}) as response:
            entries = await response.json()
        return [
            entry["body"] for entry in entries if entry["direction"] == "outbound-api" and entry["status"] != "failed"
        ]

    async def answered(self, who: str, number: int) -> str:
        """The answer of this number, from 1, as soon as it is there."""
        found = await soon(lambda: self._at_least(who, number))
        return str(found[number - 1])

    async def _at_least(self, who: str, number: int) -> list[str]:
        found = await self.answers(who)
        return found if len(found) >= number else []

    async def fault(self, **fault: Any) -> None:
        async with self.http.post(f"{self.phone}/simulator/faults", json=[fault]) as response:
            assert response.status == 201


@dataclass
class Walk:
    """`seen` is called with a name at each place that is worth a look."""

    look: Look
    own: str
    customers: Customers
    script: bool
    seen: Callable[[str], Awaitable[None]]
    faults: dict[str, list[str]] = field(default_factory=dict)

    @property
    def page(self) -> Page:
        return self.look.page

    async def at(self, name: str) -> None:
        if self.script and (found := await self.look.faults()):
            self.faults[name] = found
        await self.seen(name)

    async def there(self, selector: str, path: str | None = None) -> Locator:
        """What the page shows soon: by itself, or read again by hand where there is no script."""
        found = self.page.locator(selector).first
        async with asyncio.timeout(PATIENCE):
            while not await found.is_visible():
                await asyncio.sleep(0.3)
                if not self.script:
                    await (self.page.goto(self.own + path) if path else self.page.reload())
        return found

    async def enter(self, link: str) -> None:
        """By the one-time link, with a new password."""
        await self.page.goto(link)
        await self.at("link")
        await self.page.fill("#password", PASSWORD)
        await self.page.click("button.primary")
        await self.there("#tabs")

    async def speak(self, language: str) -> None:
        await self.page.goto(f"{self.own}/settings")
        await self.page.select_option("#speak", language)
        await self.page.locator("form", has=self.page.locator("#speak")).locator("button").first.click()
        assert await self.page.locator("html").get_attribute("lang") == language

    async def answer_by_hand(self) -> None:
        """Somebody waits for a person; the assistant is silent from then on."""
        await self.page.goto(self.own)
        await self.customers.say(JOAO, "Posso pagar a encomenda em duas vezes?")
        await self.customers.answered(JOAO, 1)
        await self.customers.say(JOAO, "queria falar com alguém")
        await self.customers.answered(JOAO, 2)
        waiting = await self.there("#cards a.primary[href^='/conversations/']")
        await self.at("home-waiting")
        await waiting.click()
        await self.page.fill("#reply", "Oi João, aqui é a Marta. Acima de R$ 200 divido em duas vezes, sim.")
        await self.page.click(".compose button.primary")
        assert "Marta" in await self.customers.answered(JOAO, 3)
        await self.at("thread-yours")

    async def be_written_to(self) -> None:
        """While the owner types: text, caret and scroll stay, and nobody but the owner answers."""
        reply = self.page.locator("#reply")
        if self.script:
            await reply.fill("Combinado, João. Até sexta!")
            await reply.evaluate("it => it.setSelectionRange(9, 9)")
            before = await self._place()
        await self.customers.say(JOAO, "Perfeito, e vocês entregam na Vila Nova?")
        await self.there("#log .msg.in:has-text('Vila Nova')")
        if self.script:
            assert await self._place() == before
            assert await reply.input_value() == "Combinado, João. Até sexta!"
        await asyncio.sleep(SILENCE)
        assert len(await self.customers.answers(JOAO)) == 3
        await self.at("thread-typing")

    async def _place(self) -> list[Any]:
        return list(
            await self.page.evaluate(
                "() => [document.activeElement.id, document.activeElement.selectionStart, "
                "document.querySelector('.log').scrollTop]"
            )
        )

    async def give_back(self) -> None:
        """What was asked meanwhile is young: the assistant answers it."""
        await self.page.click("form[action$='/give-back'] button")
        assert "Vila Nova" in await self.customers.answered(JOAO, 4)
        await self.there("form[action$='/take'] button")
        await self.at("thread-given-back")

    async def retry(self) -> None:
        """What Twilio refused is tried again by hand."""
        await self.customers.fault(on="create", kind="error", status=400, code=21211, address=ANA)
        await self.customers.say(ANA, "Quanto custa o bolo?")
        await self.page.goto(self.own)
        await (await self.there("#cards li:has-text('Ana Paula') a.btn")).click()
        await self.there("form[action$='/retry'] button")
        await self.at("thread-failed")
        await self.page.click("form[action$='/retry'] button")
        assert "R$" in await self.customers.answered(ANA, 1)

    async def teach(self) -> None:
        """What nobody knew is known to the next one who asks."""
        await self.customers.say(NEIDE, "Vocês têm panetone diet?")
        await self.customers.answered(NEIDE, 1)
        await self.page.goto(f"{self.own}/topics")
        question = await self.there("#unanswered li:has-text('panetone')")
        await self.at("topics")
        await question.locator("a.btn").first.click()
        await self.page.fill("#title", "Panetone diet")
        await self.page.fill("#body", "Temos panetone diet a R$ 42,00, de novembro a janeiro.")
        await self.at("topic-teach")
        await self.page.click("form.form button.primary")
        await self.there("#tabs")
        await self.customers.say(LIVIA, "vcs tem panetone diet?")
        assert "R$ 42,00" in await self.customers.answered(LIVIA, 1)
        await self.page.goto(f"{self.own}/topics?q=Voc%C3%AAs+t%C3%AAm+panetone+diet%3F")
        await self.there(".scores")
        await self.at("topics-test")

    async def pause(self) -> None:
        """Nobody is answered, and everybody afterwards."""
        await self.page.goto(self.own)
        await self.page.click("#pause > summary")
        await self.at("pause")
        await self.page.click("#pause button[value='resume']")
        await self.there("form[action='/resume'] button")
        await self.at("home-paused")
        await self.customers.say(LIVIA, "Qual é o horário?")
        await asyncio.sleep(SILENCE)
        assert len(await self.customers.answers(LIVIA)) == 1
        await self.page.click("form[action='/resume'] button")
        await self.customers.answered(LIVIA, 2)
        await self.there("#pause > summary")
        await self.at("home-resumed")

    async def leave(self) -> None:
        for path in ("conversations", "engine", "settings", "go-live"):
            await self.page.goto(f"{self.own}/{path}")
            await self.at(path)
        await self.page.goto(self.own)
        await self.page.locator("form[action='/sign-out'] button").first.dispatch_event("click")
        await self.there("#email")
        await self.at("sign-in")
