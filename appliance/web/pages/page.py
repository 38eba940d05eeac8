"""One page as its handler has it: who looks, in which words, and what is shown."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from appliance.operations import cards, users
from appliance.operations.users import Visit
from appliance.store import Tx
from appliance.web.desk import Desk
from appliance.web.pages.icons import icon, ticks
from appliance.web.pages.words import Words

T = TypeVar("T")
MINE = "of"  # a form's field: whose page it is on, for whoever may look at another organization meanwhile
_MINE = Markup('<input type="hidden" name="{}" value="{}">')
STATIC = Path(__file__).parents[1] / "static"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_templates = Environment(
    loader=PackageLoader("appliance.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


def version_of(name: str) -> str:
    """Of a static file; its address changes with it, so that a browser may keep it."""
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]


_templates.globals |= {
    "icon": icon,
    "ticks": ticks,
    "static": {each.name: f"/static/{each.name}?v={version_of(each.name)}" for each in STATIC.iterdir()},
}


def rendered(template: str, words: Words, status: int = 200, **values: object) -> web.Response:
    html = _templates.get_template(template).render(
        t=words.t, n=words.n, h=words.h, words=words, lang=words.language, **values
    )
    return web.Response(text=html, status=status, content_type="text/html", headers=HEADERS)


@dataclass(slots=True)
class Page:
    """`refusal`: why what was asked for was not done, shown with the page again; `form`: what had been filled in."""

    request: web.Request
    desk: Desk
    visit: Visit
    words: Words
    form: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    status: int = 200

    @property
    def organization_id(self) -> int:
        return self.visit.organization.id

    @property
    def id(self) -> int:
        """Of what the address names."""
        return int(self.request.match_info["id"])

    async def show(
        self, template: str, look: Callable[[Tx], Mapping[str, object]], *, is_long: bool = False
    ) -> web.Response:
        """The template with what `look` finds; the frame around it is of the same moment. `is_long`: on a slow disk it
        may take longer than the workers' reader is lent for.
        """

        def read(tx: Tx) -> tuple[Mapping[str, object], Mapping[str, object]]:
            return self._frame(tx), look(tx)

        store = self.desk.store
        frame, found = await (store.inspect(read) if is_long else store.read(read))
        return rendered(template, self.words, self.status, **frame, **found)

    def _frame(self, tx: Tx) -> dict[str, object]:
        organizations = users.to_look_at(tx, self.visit.user)
        return {
            "visit": self.visit,
            "organization": self.visit.organization,
            "organizations": organizations,
            "mine": _MINE.format(MINE, self.organization_id) if len(organizations) > 1 else "",
            "waiting": cards.people_waiting(tx, self.organization_id),
            "refusal": self.refusal,
            "form": self.form,
            "path": self.request.path,
        }

    async def write(self, unit: Callable[[Tx], T]) -> T:
        """A unit of work; what it made ready is worked on at once."""
        done = await self.desk.store.write(unit)
        self.desk.bell.ring()
        return done


def back(to: str) -> web.HTTPSeeOther:
    """To raise after an action: the browser gets the page anew, and a reload repeats nothing."""
    return web.HTTPSeeOther(to)
