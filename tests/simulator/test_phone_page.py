"""The phone in a real browser: write, see the answer and its ticks."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, async_playwright, expect

from appliance.model import Language
from appliance.simulator import Fault, Phone, Twilio, simulator_app
from appliance.simulator.phone_texts import TEXTS
from tests.support.browsing import ARGUMENTS, CHROMIUM

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: sudo apt install chromium"),
]

ACCOUNT = "AC" + "0" * 32
TOKEN = "1" * 32
WHATSAPP = "whatsapp:+551140000000"
SMS = "+551140000000"
CUSTOMER = "+5511987654321"


@dataclass
class Business:
    """An appliance double that answers every message through the REST API."""

    twilio: Twilio
    base: str = ""
    simulator: str = ""
    answer: str = "Abrimos às 9h."
    status: int = 200
    heard: list[str] = field(default_factory=list)
    silent: dict[str, str] | None = None

    async def why(self, sid: str) -> object | None:
        return self.silent

    async def hear(self, request: web.Request) -> web.Response:
        form = await request.post()
        self.heard.append(str(form["Body"]) or str(form["MediaContentType0"]))
        if self.status == 200 and self.silent is None:
            await self.send(str(form["To"]), str(form["From"]))
        return web.Response(text="<Response/>", content_type="text/xml", status=self.status)

    async def send(self, sender: str, recipient: str) -> None:
        message = {"From": sender, "To": recipient, "Body": self.answer}
        auth = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT, TOKEN)}
        async with (
            aiohttp.ClientSession(self.simulator, headers=auth) as session,
            session.post(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", data=message) as response,
        ):
            assert response.status == 201


@pytest.fixture
async def business() -> AsyncIterator[Business]:
    """A simulator with its phone page, and a business that answers."""
    twilio = Twilio(ACCOUNT, [TOKEN], owned=[WHATSAPP, SMS], pace=0.01)
    double = Business(twilio)
    phone = Phone(
        business="Padaria <b>Sol</b>",
        channels=(WHATSAPP, SMS),
        language="pt-BR",
        suggestions=("Qual é o horário?", "Vocês entregam?"),
        silence=double.why,
    )
    hears = web.Application()
    hears.router.add_post("/twilio/messages", double.hear)
    async with TestServer(simulator_app(twilio, phone)) as server, TestServer(hears) as heard:
        double.simulator = str(server.make_url("")).rstrip("/")
        twilio.public_url = str(heard.make_url("")).rstrip("/")
        yield double


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, business: Business) -> AsyncIterator[Page]:
    """The phone, open; any error or refused resource in the page fails the test."""
    faults: list[str] = []
    page = await browser.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    await page.goto(business.simulator)
    yield page
    assert faults == []


async def test_a_question_is_answered_and_read(page: Page, business: Business) -> None:
    """Enter sends; the answer arrives with two blue ticks and a text alternative."""
    await page.get_by_label("Mensagem").fill("Que horas abrem? <img src=x onerror=alert(1)>")
    await page.keyboard.press("Enter")

    await expect(page.locator(".mine .body")).to_have_text("Que horas abrem? <img src=x onerror=alert(1)>")
    await expect(page.locator(".mine").get_by_label("Enviada")).to_be_visible()
    await expect(page.locator(".theirs .body")).to_have_text("Abrimos às 9h.")
    await expect(page.locator(".theirs").get_by_label("Lida")).to_be_visible()
    await expect(page.get_by_label("Mensagem")).to_have_value("")
    await expect(page.get_by_role("heading")).to_have_text("Padaria <b>Sol</b>")
    assert len(business.heard) == 1


async def test_ticks_follow_twilio(page: Page, business: Business) -> None:
    """One tick is sent, and a message that failed says so in words."""
    business.twilio.faults.add(Fault("delivery", "stuck"), Fault("delivery", "undelivered", code=30008))
    await page.get_by_role("button", name="Qual é o horário?").click()
    await expect(page.locator(".theirs").first.get_by_label("Enviada")).to_be_visible()
    await page.get_by_role("button", name="Vocês entregam?").click()

    await expect(page.locator(".theirs").last).to_contain_text("Não entregue (30008)")
    assert business.heard == ["Qual é o horário?", "Vocês entregam?"]


async def test_a_voice_note_on_the_other_channel(page: Page, business: Business) -> None:
    """The visitor can choose channel and number, and send media without words; SMS ends at delivered."""
    await page.get_by_label("Falando com").select_option(SMS)
    await page.get_by_label("Você é").fill("+5521900000000")
    await page.get_by_role("button", name="Enviar um áudio").click()

    await expect(page.locator(".mine")).to_contain_text("Áudio")
    await expect(page.locator(".theirs").get_by_label("Entregue")).to_be_visible()
    await page.reload()
    await expect(page.locator(".mine")).to_contain_text("Áudio")
    await page.get_by_label("Falando com").select_option(WHATSAPP)
    await expect(page.locator(".mine")).to_have_count(0)
    assert business.heard == ["audio/ogg"]


async def test_a_deaf_business_is_shown(page: Page, business: Business) -> None:
    """A message whose webhook failed says so in words."""
    business.status = 503
    await page.get_by_label("Mensagem").fill("Oi")
    await page.get_by_role("button", name="Enviar", exact=True).click()

    await expect(page.locator(".mine")).to_contain_text("o sistema da empresa não recebeu")


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("a person is in charge", "Sem resposta: pediu uma pessoa, ou uma já respondeu: nada é respondido por máquina"),
        ("something new", "Sem resposta: in other words"),
    ],
)
async def test_why_nobody_answers_is_shown(page: Page, business: Business, reason: str, told: str) -> None:
    """Below the message, once, in the page's language where it has the words; also when the page is opened again."""
    business.silent = {"reason": reason, "words": "in other words"}
    await page.get_by_label("Mensagem").fill("Oi?")
    await page.keyboard.press("Enter")

    await expect(page.locator(".mine .silence")).to_have_text([told])
    await page.reload()
    await expect(page.locator(".mine .silence")).to_have_text([told])


async def test_messages_from_elsewhere_appear(page: Page, business: Business) -> None:
    """What arrives without the page, as from the command line, is shown live, and only for the chosen pair."""
    await business.twilio.receive("whatsapp:+5521900000000", WHATSAPP, "outra pessoa")
    await business.twilio.receive(f"whatsapp:{CUSTOMER}", WHATSAPP, "de fora")

    await expect(page.locator(".theirs").get_by_label("Lida")).to_be_visible()
    await expect(page.locator(".mine .body")).to_have_text(["de fora"])
    await expect(page.get_by_role("log")).to_be_visible()


OTHER_SCREENS = [pytest.param(size, marks=pytest.mark.slow) for size in ((390, 844), (1280, 800))]


@pytest.mark.parametrize("size", [(320, 568), *OTHER_SCREENS])
async def test_it_fits_the_screen(browser: Browser, business: Business, size: tuple[int, int]) -> None:
    """Nothing is cut off sideways and the field stays on the screen, with many messages."""
    for number in range(20):
        await business.twilio.receive(f"whatsapp:{CUSTOMER}", WHATSAPP, f"Pergunta {number} " + "x" * 80)
    page = await browser.new_page(viewport={"width": size[0], "height": size[1]})
    await page.goto(business.simulator)

    await expect(page.locator(".bubble")).to_have_count(40)
    await expect(page.get_by_label("Mensagem")).to_be_in_viewport(ratio=1)
    await expect(page.locator(".bubble").last).to_be_in_viewport()
    root = "document.documentElement"
    assert await page.evaluate(f"[{root}.scrollWidth, {root}.scrollHeight]") == list(size)


async def test_the_page_speaks_the_organizations_language(browser: Browser, business: Business) -> None:
    """As it is at each load, also for saying that the simulator is gone."""
    spoken: list[Language] = ["en"]

    async def tongue() -> Language:
        return spoken[-1]

    async with TestServer(simulator_app(Twilio(ACCOUNT, [TOKEN]), Phone(tongue=tongue))) as server:
        page = await browser.new_page()
        await page.goto(str(server.make_url("/")))
        await expect(page).to_have_title(re.compile("Customer's phone"))

        spoken.append("es")
        await page.reload()

        await expect(page).to_have_title(re.compile("Celular del cliente"))
        await expect(page.get_by_label("Mensaje")).to_be_focused()
        await expect(page.get_by_role("alert")).to_be_hidden()
    await expect(page.get_by_role("alert")).to_have_text("El simulador no responde. ¿Sigue en marcha?")


def test_each_language_has_every_text() -> None:
    """And every word of an answer's ticks."""
    for texts in TEXTS.values():
        assert texts.keys() == TEXTS["en"].keys()
        assert texts["statuses"].keys() == TEXTS["en"]["statuses"].keys()
    assert TEXTS["es"]["silences"].keys() == TEXTS["pt-BR"]["silences"].keys()
