"""The phone in the browser: a page that writes as a customer and shows the business's answers as Twilio sees them."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined

from appliance.model import Language
from appliance.simulator.phone_texts import TEXTS
from appliance.simulator.rest import TWILIO

ANY_CHANNELS = ("whatsapp:+551140000000", "+551140000000")  # an account that names no addresses owns all
STATIC = Path(str(files("appliance.simulator") / "static"))
_pages = Environment(loader=PackageLoader("appliance.simulator"), autoescape=True, undefined=StrictUndefined)


@dataclass(frozen=True, slots=True)
class Phone:
    """What the page shows. `channels`: the business's addresses, default those the account owns.

    `contacts`: the customers' numbers on offer. `suggestions`: sample questions. Spanish gets the English page.
    """

    business: str = "Twilio simulator"
    channels: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ("+5511987654321", "+5511976543210", "+5521965432109")
    language: Language = "en"
    suggestions: tuple[str, ...] = ()


PHONE = web.AppKey("phone", Phone)


async def page(request: web.Request) -> web.Response:
    phone, twilio = request.app[PHONE], request.app[TWILIO]
    language = "pt-BR" if phone.language == "pt-BR" else "en"
    html = _pages.get_template("phone.html").render(
        phone=phone,
        channels=phone.channels or tuple(twilio.owned) or ANY_CHANNELS,
        language=language,
        texts=TEXTS[language],
    )
    return web.Response(text=html, content_type="text/html", headers={"Cache-Control": "no-store"})


def add_to(app: web.Application) -> None:
    app.router.add_get("/", page)
    app.router.add_static("/static", STATIC)
