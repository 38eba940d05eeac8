"""/conversations: who wrote, and what was said with each."""

import secrets
from collections import Counter
from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from aiohttp import web

from appliance.operations import correspondents, hands, threads
from appliance.operations.correspondents import Entry
from appliance.operations.transcript import Message, Reader
from appliance.store import Tx
from appliance.store.handovers import HandoverEvent
from appliance.web.pages import brakes
from appliance.web.pages.page import Page
from appliance.web.pages.phones import initials, name_in, written
from appliance.web.pages.site import ID, Site
from appliance.web.pages.words import Words

ENTRIES = 30  # a page of the list
EVENTS = 100  # of a hand-over, in a page of a thread


class Threads:
    def add_to(self, site: Site) -> None:
        site.get("/conversations", self.list)
        site.get(f"/conversations/{ID}", self.thread)

    async def list(self, page: Page) -> web.StreamResponse:
        return await page.show("conversations.html", lambda tx: _list(tx, page), is_long="q" in page.request.query)

    async def thread(self, page: Page) -> web.StreamResponse:
        """Also what a reply that was refused shows again."""
        return await page.show("thread.html", lambda tx: _thread(tx, page), is_long="q" in page.request.query)


def _list(tx: Tx, page: Page, *, before: str | None = None) -> dict[str, object]:
    query = page.request.query
    show, asked = query.get("show", "all"), query.get("q", "")
    before = query.get("before", "") if before is None else before
    shows = show if show in correspondents.SHOWS else "all"
    found = correspondents.listing(
        tx, page.organization_id, show=shows, query=asked, before=before, limit=ENTRIES
    )  # fmt: skip
    return {
        "listing": found,
        "entries": [entry(each, page.words) for each in found.entries],
        "show": shows,
        "q": asked[: correspondents.MAX_QUERY],
        "is_later": bool(before),
        "query": lambda **more: _query({"show": shows, "q": asked} | more),
        "tick": _tick,
    }


def _thread(tx: Tx, page: Page) -> dict[str, object]:
    words, config = page.words, page.desk.config
    reader = Reader(page.organization_id, words.language, config)
    before = page.request.query.get("before", "")
    thread = threads.thread(tx, page.id, reader, before)
    number = threads.number_in(thread.address)
    since = thread.messages[0].at if thread.older else 0
    until = thread.messages[-1].at if before and thread.messages else None
    happened = hands.events(tx, thread.contact_id, since, EVENTS, until)
    return _list(tx, page, before="") | {
        "thread": thread,
        "name": named(thread.name, thread.address, words),
        "number": number,
        "phone": written(thread.address) if thread.address else "",
        "hands": thread.hands,
        "brake": brakes.of_conversation(tx, page, thread.contact_id),
        "days": _by_day(sorted([*thread.messages, *happened], key=lambda each: each.at), words),
        "also": [(each.id, written(each.address), threads.kind_of(each.channel)) for each in thread.also],
        "media": lambda types: _media(types, words),
        "human_for": words.age(config.conversations.human_for / 1_000),
        "typed": page.form.get("body", ""),
        "key": page.form.get("idempotency_key") or secrets.token_hex(16),
        "is_later": bool(before),
    }


def _query(values: Mapping[str, str]) -> str:
    """What a link keeps of the filter and the search."""
    told = {name: value for name, value in values.items() if value and (name, value) != ("show", "all")}
    return f"?{urlencode(told)}" if told else ""


def _tick(state: str) -> str:
    """Of ours the picture that says how far it came; empty where that is said in words."""
    return {"ready": "waiting", "sending": "waiting", "sent": "sent", "delivered": "delivered", "read": "read"}.get(
        state, ""
    )


def _by_day(
    happened: Sequence[Message | HandoverEvent], words: Words
) -> Sequence[tuple[str, str, list[Message | HandoverEvent]]]:
    """(the day's name for machines, for people, what happened on it)."""
    days: dict[str, list[Message | HandoverEvent]] = {}
    for each in happened:
        days.setdefault(words.local(each.at).date().isoformat(), []).append(each)
    return [(day, words.day(each[0].at), each) for day, each in days.items()]


def entry(each: Entry, words: Words) -> Mapping[str, object]:
    """A row of the list."""
    return {
        "of": each,
        "name": named(each.name, each.address, words),
        "initials": initials(each.name),
        "tick": _tick(each.last.state) if each.last and each.last.state and not each.found else "",
        "last": each.found or _last(each, words),
        "when": words.brief(each.last.at if each.last else each.updated_at),
    }


def named(name: str, address: str, words: Words) -> str:
    """Somebody as a page calls them; `address`: empty where it was forgotten."""
    return name_in(name) or (written(address) if address else words.t("Forgotten customer"))


def _last(each: Entry, words: Words) -> str:
    if each.last is None:
        return ""
    return each.last.text or ", ".join(text for _, text in _media(each.last.media, words))


def _media(types: Sequence[str], words: Words) -> Sequence[tuple[str, str]]:
    """What is attached, by its kind: (photo, audio, video or file; how many in words)."""
    kinds = {"image": "photo", "audio": "audio", "video": "video"}
    counted = Counter(kinds.get(each.partition("/")[0], "file") for each in types)
    tell = {
        "photo": lambda count: words.n("{count} photo", "{count} photos", count),
        "audio": lambda count: words.n("voice note", "{count} voice notes", count),
        "video": lambda count: words.n("{count} video", "{count} videos", count),
        "file": lambda count: words.n("{count} file", "{count} files", count),
    }
    return [(kind, tell[kind](count)) for kind, count in counted.items()]
