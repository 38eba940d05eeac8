"""Stopping and going on, from home and from a conversation; what each end means is said before it is chosen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web

from appliance.model import SECOND
from appliance.operations import conversations, pauses
from appliance.operations.pauses import BY_HAND, IN_AN_HOUR, End, Pause
from appliance.store import Tx
from appliance.web.pages.guard import Shown
from appliance.web.pages.page import Page, back
from appliance.web.pages.site import ID, Site
from appliance.web.pages.words import Words

BOX = "box"  # the form's scope; none: the organization that is looked at


@dataclass(frozen=True, slots=True)
class Choice:
    """An end that may be chosen: the form's `until`, its button, and what becomes of those who write meanwhile."""

    until: str
    label: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Brake:
    """`paused`: the pause in force; `by`: who did it, in words; `may_resume`: by whoever looks; `choices`: where
    nothing is paused. `has_box`: they are also there for the whole box.
    """

    paused: Pause | None
    by: str
    may_resume: bool
    choices: Sequence[Choice]
    has_box: bool = False


class Brakes:
    """`home` and `thread`: the pages on which a refusal is told."""

    def __init__(self, home: Shown, thread: Shown) -> None:
        self._home = home
        self._thread = thread

    def add_to(self, site: Site) -> None:
        site.post("/pause", self.pause, shows=self._home)
        site.post("/resume", self.resume, shows=self._home)
        site.post(f"/conversations/{ID}/pause", self.pause_conversation, shows=self._thread)
        site.post(f"/conversations/{ID}/resume", self.resume_conversation, shows=self._thread)

    async def pause(self, page: Page) -> web.StreamResponse:
        owner, until, by = page.organization_id, page.form.get("until", BY_HAND), page.visit.user.email
        if page.form.get("scope") == BOX:
            if not page.visit.sees_box:
                raise web.HTTPNotFound
            await page.write(lambda tx: pauses.pause(tx, None, pauses.end_named(tx, owner, until), by))
        else:
            await page.write(lambda tx: pauses.pause(tx, owner, until, by))
        raise back("/")

    async def resume(self, page: Page) -> web.StreamResponse:
        """All that keeps this organization's customers from an answer, as far as whoever looks may."""

        def unit(tx: Tx) -> None:
            pauses.resume(tx, page.organization_id)
            if page.visit.sees_box:
                pauses.resume(tx, None)

        await page.write(unit)
        raise back("/")

    async def pause_conversation(self, page: Page) -> web.StreamResponse:
        named, until, by = page.request.match_info["id"], page.form.get("until", BY_HAND), page.visit.user.email

        def unit(tx: Tx) -> None:
            conversations.pause(tx, conversations.find(tx, page.organization_id, named), until, by)

        await page.write(unit)
        raise back(f"/conversations/{named}")

    async def resume_conversation(self, page: Page) -> web.StreamResponse:
        """Only the pause: who is with a person stays there."""
        named = page.request.match_info["id"]

        def unit(tx: Tx) -> None:
            found = conversations.find(tx, page.organization_id, named)
            pauses.resume(tx, page.organization_id, tx.contacts.get(found.contact_id))

        await page.write(unit)
        raise back(f"/conversations/{named}")


def of_organization(tx: Tx, page: Page) -> Brake:
    """What home shows."""
    found, owner = pauses.in_force(tx, page.organization_id), page.organization_id
    may_resume = page.visit.sees_box or (found is not None and found.organization_id is not None)
    has_box = page.visit.sees_box and len(tx.organizations.page_of_the_box(limit=2)) > 1
    return Brake(found, _by(found, page.words), may_resume, [] if found else _choices(tx, page, owner), has_box)


def of_conversation(tx: Tx, page: Page, contact_id: int) -> Brake:
    """What the page of a conversation shows: the customer's own pause."""
    contact = tx.contacts.get(contact_id)
    found = pauses.of_contact(tx, contact) if contact is not None else None
    choices = [] if found else _choices(tx, page, page.organization_id)
    return Brake(found, _by(found, page.words), may_resume=True, choices=choices)


def by_whom(by: str, words: Words) -> str:
    """Who paused, as recorded: a user, or what else there is."""
    return {"cli": words.t("the command line"), "api": words.t("a program")}.get(by, by)


def _by(found: Pause | None, words: Words) -> str:
    return by_whom(found.by, words) if found else ""


def _choices(tx: Tx, page: Page, owner: int) -> list[Choice]:
    config, words = page.desk.config, page.words
    by_day, at_night = pauses.by_day_and_at_night(config)

    def age(milliseconds: int) -> str:
        return words.age(milliseconds / SECOND)

    return [_choice(each, words, age, by_day, at_night) for each in pauses.ends(tx, owner, config)]


def _choice(end: End, words: Words, age: Callable[[int], str], by_day: int, at_night: int) -> Choice:
    if end.at is None:
        meaning = words.t(
            "Messages of the last {time} are answered then, at night of the last {night}. Older ones become cards.",
            time=age(by_day),
            night=age(at_night),
        )
        return Choice(end.name, words.t("I resume it myself"), meaning)
    if end.name == IN_AN_HOUR:
        label = words.t("in 1 hour ({time})", time=words.when(end.at))
    else:
        label = words.t("until {when}", when=words.when(end.at))
    if end.answers_all:
        return Choice(end.name, label, words.t("Who writes until then is answered then."))
    meaning = words.t("Messages of the last {time} are answered then. Older ones become cards.", time=age(end.within))
    return Choice(end.name, label, meaning)
