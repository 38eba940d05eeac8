"""/settings: what the organization says of itself, in which words, when it is open."""

from collections.abc import Mapping
from functools import cache
from zoneinfo import available_timezones

from aiohttp import web

from appliance.operations import colleagues, profile, texts
from appliance.operations.profile import MOST_A_DAY, Change
from appliance.privacy import request as wish
from appliance.store import Tx
from appliance.web.pages.page import Page, back
from appliance.web.pages.site import Site
from appliance.web.pages.words import WEEKDAYS

CLOSED = (("", ""),)


class Settings:
    def add_to(self, site: Site) -> None:
        site.get("/settings", self.settings)
        site.post("/settings/business", self.business, shows=self.settings)
        site.post("/settings/manner", self.manner, shows=self.settings)
        site.post("/settings/texts", self.put_text, shows=self.settings)
        site.post("/settings/hours", self.hours, shows=self.settings)

    async def settings(self, page: Page) -> web.StreamResponse:
        """Also with what was refused, as it was filled in; and once with a new user's link."""
        return await page.show("settings.html", lambda tx: look(tx, page) | {"link": "", "invited": ""})

    async def business(self, page: Page) -> web.StreamResponse:
        names = ("name", "contact", "language", "timezone")
        name, contact, language, timezone = (page.form.get(name, "").strip() for name in names)
        await _change(page, Change(name=name, contact=contact, language=language, timezone=timezone))
        raise back("/settings#business")

    async def manner(self, page: Page) -> web.StreamResponse:
        instructions = page.form.get("instructions", "").replace("\r\n", "\n").strip()
        await _change(page, Change(instructions=instructions))
        raise back("/settings#manner")

    async def put_text(self, page: Page) -> web.StreamResponse:
        language, key, body = page.form.get("texts", ""), page.form.get("key", ""), page.form.get("body", "")
        organization = page.visit.organization
        if page.form.get("do") == "reset":
            await page.write(lambda tx: texts.reset(tx, organization, language, key))
        else:
            await page.write(lambda tx: texts.put(tx, organization, language, key, body))
        raise back(f"/settings?texts={language}#text-{key}")

    async def hours(self, page: Page) -> web.StreamResponse:
        week = [] if page.form.get("do") == "always" else [_times(page.form, day) for day in range(len(WEEKDAYS))]
        await _change(page, Change(hours=week))
        raise back("/settings#hours")


async def _change(page: Page, wanted: Change) -> None:
    await page.write(lambda tx: profile.change(tx, page.visit.organization, wanted))


def _times(form: Mapping[str, str], day: int) -> list[list[str]]:
    """What is empty is closed."""
    pairs = [[form.get(f"{day}-{number}-{end}", "").strip() for end in ("from", "to")] for number in range(MOST_A_DAY)]
    return [pair for pair in pairs if any(pair)]


def look(tx: Tx, page: Page) -> dict[str, object]:
    organization = page.visit.organization
    asked = page.form.get("texts") or page.request.query.get("texts")
    language = asked if asked in texts.LANGUAGES else organization.language
    is_refused = page.request.path == "/settings/hours"
    week = [_times(page.form, day) for day in range(len(WEEKDAYS))] if is_refused else organization.hours
    return {
        "own": organization,
        "zones": _zones(),
        "language": language,
        "texts": texts.page(tx, organization, language),
        "days": [(name, (week[day] if week else ()) or CLOSED) for day, name in enumerate(WEEKDAYS)],
        "colleagues": colleagues.page(tx, page.visit),
        "forgettings": wish.of(tx, organization),
        "alike": _alike(tx, page),
    }


def _alike(tx: Tx, page: Page) -> list[str]:
    """Whom somebody who forgets a customer is asked about."""
    if (page.request.path, page.status) != ("/settings/forget", 409):
        return []
    found: list[str] = wish.find(tx, page.form["address"].strip(), page.organization_id)["alike"]
    return found


@cache
def _zones() -> list[str]:
    return [*sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith("Etc/")), "UTC"]
