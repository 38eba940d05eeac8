"""The phone in the browser: a page that writes as a customer and shows the business's answers as Twilio sees them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import msgspec
from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from appliance.model import Language
from appliance.simulator.access import TWILIO
from appliance.simulator.phone_texts import TEXTS

ANY_CHANNELS = ("whatsapp:+551140000000", "+551140000000")  # an account that names no addresses owns all
STATIC = Path(str(files("appliance.simulator") / "static"))
_pages = Environment(loader=PackageLoader("appliance.simulator"), autoescape=True, undefined=StrictUndefined)


@dataclass(frozen=True, slots=True)
class Phone:
    """What the page shows. `channels`: the business's addresses, default those the account owns.

    `contacts`: the customers' numbers on offer. `suggestions`: sample questions. `tongue`: asked at each load for the
    language by now. `silence`: asked with a message's sid, why it gets no answer (`reason` and `words`); None while one
    may come.
    """

    business: str = "Twilio simulator"
    channels: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ("+5511987654321", "+5511976543210", "+5521965432109")
    language: Language = "en"
    suggestions: tuple[str, ...] = ()
    silence: Callable[[str], Awaitable[object | None]] | None = None
    tongue: Callable[[], Awaitable[Language]] | None = None


PHONE = web.AppKey("phone", Phone)


async def page(request: web.Request) -> web.Response:
    phone, twilio = request.app[PHONE], request.app[TWILIO]
    language = await phone.tongue() if phone.tongue else phone.language
    html = _pages.get_template("phone.html").render(
        phone=phone,
        channels=phone.channels or tuple(twilio.owned) or ANY_CHANNELS,
        language=language,
        texts=TEXTS[language],
    )
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


async def silence(request: web.Request) -> web.Response:
    ask = request.app[PHONE].silence
    found = await ask(request.match_info["sid"]) if ask else None
    return web.Response(body=msgspec.json.encode({"silence": found}), content_type="application/json")


def add_to(app: web.Application) -> None:
    app.router.add_get("/", page)
    app.router.add_get("/simulator/messages/{sid}/silence", silence)
    app.router.add_static("/static", STATIC)
