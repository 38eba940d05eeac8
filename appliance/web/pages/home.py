"""/: is it well, who waits for me, what happened today, stop."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from aiohttp import web

from appliance.config.sections import NO_FILE
from appliance.links import link
from appliance.model import HOUR
from appliance.notices.sentences import Card as Stored
from appliance.notices.sentences import Reader
from appliance.operations import cards, faults, figures, pauses
from appliance.operations.attention import needs
from appliance.operations.charges import Charge, charges
from appliance.operations.correspondents import listing
from appliance.operations.figures import FATES, Day
from appliance.operations.glance import midnight
from appliance.operations.threads import kind_of
from appliance.store import Tx, backup
from appliance.web.pages import brakes, charts, statement
from appliance.web.pages.checks import Checks
from appliance.web.pages.page import Page
from appliance.web.pages.site import Site
from appliance.web.pages.tasks import task
from appliance.web.pages.threads import entry, named
from appliance.web.pages.verdict import Paused, State, verdict
from appliance.web.pages.words import Words

SHOWN, MOST = 8, 100  # cards; the second where all are asked for
LATELY = 4  # people
LEAST = 10  # seconds on the scale of the times to answer
_CLASSES = {"read": "c-yes", "delivered": "c-2", "sent": "c-3", "unsure": "c-warn", "failed": "c-bad"}
_FATES = {
    "read": "read",
    "delivered": "delivered",
    "sent": "sent",
    "unsure": "not sure",
    "failed": "not delivered",
}


class Home:
    def __init__(self, checks: Checks) -> None:
        self._checks = checks

    def add_to(self, site: Site) -> None:
        site.get("/", self.home)

    async def home(self, page: Page) -> web.StreamResponse:
        untold, reasons = page.desk.untold(), await page.desk.faults()
        # On a connection of its own: a day of 50,000 messages takes longer than the workers' reader may be held.
        day = await page.desk.store.inspect(partial(_day, page=page))

        def look(tx: Tx) -> Mapping[str, object]:
            is_first = tx.figures.is_untouched(page.organization_id)
            return self._first(tx, page) if is_first else self._usual(tx, page, day, untold, reasons)

        return await page.show("home.html", look)

    def _first(self, tx: Tx, page: Page) -> dict[str, object]:
        """The steps to the first message, each with what is so."""
        accounts = {each.account for each in tx.channels.of(page.organization_id)}
        links = [page.desk.links.get(link.of_account(name)) for name in sorted(accounts)]
        connected = bool(links) and all(each.answered_at is not None and each.trouble is None for each in links)
        return {
            "first": {
                "started_at": page.desk.started_at,
                "is_connected": connected,
                "is_refused": any(each.trouble is not None for each in links),
                "is_reached": self._checks.is_reached or tx.figures.last_webhook() is not None,
                "public_url": page.desk.config.server.public_url,
                "config": source if (source := page.desk.config.source) != NO_FILE else "config.toml",
                "topics": len(tx.knowledge.titles(page.organization_id)),
            }
        }

    def _usual(
        self, tx: Tx, page: Page, day: Mapping[str, Any], untold: Sequence[Stored], reasons: Sequence[str]
    ) -> dict[str, object]:
        own, sees_box, words = page.organization_id, page.visit.sees_box, page.words
        limit = MOST if page.request.query.get("cards") == "all" else SHOWN
        reader = Reader(words.language, words.timezone, tx.now)

        def call(name: str, address: str) -> str:
            return named(name, address, words)

        found, more, wrong = needs(tx, own, reader, call, limit, sees_box=sees_box, untold=untold)
        lately = listing(tx, own, limit=LATELY).entries
        people = cards.people_waiting(tx, own)
        state = State(
            paused=_paused(tx, page),
            faults=faults.of_organization(tx, own, untold),
            reasons=reasons,
            kept=tx.figures.waiting(own),
            people=people,
            others=len(found) + more - people,
            wrong=wrong,
            day=day["today"],
        )
        return {
            **day,
            "first": None,
            "verdict": verdict(state, words),
            "brake": brakes.of_organization(tx, page),
            "tasks": [task(each, words, sees_box=sees_box) for each in found],
            "more": more,
            "most": MOST,
            "started_at": page.desk.started_at,
            "lately": [entry(each, words) for each in lately],
            "backup_at": backup.last_at(page.desk.store.directory),
            "compared": statement.sentence(tx, page.visit.organization, words),
        }


def _day(tx: Tx, page: Page) -> Mapping[str, Any]:
    """Today in figures."""
    own, words = page.organization_id, page.words
    today = figures.day(tx, own, midnight(Reader(words.language, words.timezone, words.now)))
    return {
        "today": today,
        "charts": _charts(today, words),
        "fates": [(today.replies[fate], _CLASSES[fate], words.t(_FATES[fate])) for fate in FATES],
        "charged": _charged(charges(tx, own, today.since, tx.now + 1), words),
    }


def _paused(tx: Tx, page: Page) -> Paused | None:
    """What holds the answers, and who waits for its end."""
    found = pauses.in_force(tx, page.organization_id)
    if found is None:
        return None
    waiting = pauses.waiting(tx, page.organization_id, found, page.desk.config)
    return Paused(found.until, found.began_at, found.by, waiting.people, waiting.too_late)


def _charged(found: Mapping[str, Charge], words: Words) -> str:
    """What Twilio counts, as far as it has told; empty where nothing was sent."""
    parts = []
    for kind, charge in found.items():
        if kind == "sms" and charge.segments:
            parts.append(words.n("{count} SMS part", "{count} SMS parts", charge.segments))
        elif kind != "sms":
            parts.append(f"{words.number(charge.messages)} {kind_of(f'{kind}:')}")
    for unit in sorted({unit for charge in found.values() for unit in charge.prices}):
        total = sum(charge.prices.get(unit, Decimal(0)) for charge in found.values())
        parts.append(f"{words.number(float(total), 2)} {unit}")
    return ", ".join(parts)


def _charts(day: Day, words: Words) -> dict[str, Any]:
    """Pictures, and the rows of the tables behind them: hour of the clock, received, answered, half by, most by."""
    known = {words.local(day.since + each.hour * HOUR).hour: each for each in day.hours}
    axis = charts.hours(list(known))
    found = [known.get(hour) for hour in axis]
    half = [each.half if each else None for each in found]
    most = [each.most if each else None for each in found]
    top = charts.ceiling(max((LEAST, *(value for value in most if value is not None))))
    return {
        "bars": charts.bars(
            axis, [each.received if each else 0 for each in found], [each.answered if each else 0 for each in found]
        ),
        "band": charts.band(axis, half, most, words.age(top), top),
        "stack": charts.stack([(day.replies[fate], _CLASSES[fate]) for fate in FATES]),
        "rows": [(words.number(hour), known[hour]) for hour in sorted(known)],
        "busiest": max(known, key=lambda hour: known[hour].received, default=None),
    }
