"""A stored card in words, made when it is shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from appliance.model import MAIN, SECOND
from appliance.notices.catalogue import CATALOGUE
from appliance.notices.notice import Notice
from appliance.notices.reasons import SOMEBODY, WAITING, WITH_CODE
from appliance.notices.translation import translated, translation
from appliance.store import Row
from appliance.store.cards import Fact, facts
from appliance.twilio import codes

Card = Row | Mapping[str, Any]  # of the store


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told, when and where: `language` such as pt-BR; `now` ms UTC."""

    language: str
    timezone: str
    now: int


@dataclass(frozen=True, slots=True)
class Told:
    """A card in words. `itself`: what happens without the owner; `todo`: one thing to do."""

    title: str
    text: str
    itself: str
    todo: str
    priority: int
    tags: str


def notice(card: Card) -> Notice:
    """The words of a card's kind, and of its case where the kind has several."""
    case = facts(card).get("case")
    return CATALOGUE[f"{card['kind']}.{case}"] if case else CATALOGUE[card["kind"]]


def told(card: Card, reader: Reader, waiting: int = 0) -> Told:
    """`waiting`: how many customers of what the card is about wait for an answer now."""
    kind = notice(card)
    tongue = translation(reader.language)
    if card["text"]:  # from before cards held facts: a sentence in English
        return Told(card["text"], "", "", tongue.gettext(kind.todo) if "{" not in kind.todo else "", 3, kind.tags)
    words = _words(card, reader)

    def say(template: str) -> str:
        return tongue.gettext(template).format_map(words)

    text = say(kind.text)
    if kind.waits and waiting:
        text = f"{text} {tongue.ngettext(*WAITING, waiting).format(count=waiting)}"
    account = words.get("account")
    prefix = f"{account}: " if account not in (None, "", MAIN) else ""
    return Told(prefix + say(kind.title), text, say(kind.itself), say(kind.todo), kind.priority, kind.tags)


def _words(card: Card, reader: Reader) -> Mapping[str, Fact]:
    """The facts, those that are words translated, moments as the reader's clock shows them."""
    tongue = translation(reader.language)
    found = dict(facts(card))
    if "code" in found:
        code = found["code"]
        words = tongue.gettext(codes.words(int(code) if code else None))
        found["why"] = words + (tongue.gettext(WITH_CODE).format(code=code) if code else "")
    elif "why" in found:
        found["why"] = _filled(translated(str(found["why"]).rstrip("."), reader.language), found)
    if "day" in found:
        day = date.fromisoformat(str(found["day"]))
        found["day"] = day.strftime("%d/%m" if reader.language == "pt-BR" else "%-d %b")
    if found.get("who") == "":
        found["who"] = tongue.gettext(SOMEBODY)
    if "changes" in found:
        lines = str(found["changes"]).split("\n")
        found["changes"] = "; ".join(_filled(tongue.gettext(line), found) for line in lines)
    if "said" in found:
        found["said"] = translated(str(found["said"]).rstrip("."), reader.language)
    if "until" in found:
        found["until"] = moment(int(found["until"] or 0), reader)
    found["since"] = moment(int(found.get("since") or card["opened_at"]), reader)
    return found


def _filled(words: str, found: Mapping[str, Fact]) -> str:
    """Not by format(): some reasons are another program's words, in which braces mean nothing to us."""
    return re.sub(r"\{(\w+)\}", lambda name: str(found.get(name[1], name[0])), words)


def moment(at: int, reader: Reader, *, with_day: bool = False) -> str:
    """The time (ms UTC), with the day where it was another."""
    zone = ZoneInfo(reader.timezone)
    when, now = (datetime.fromtimestamp(each / SECOND, zone) for each in (at, reader.now))
    if when.date() == now.date() and not with_day:
        return when.strftime("%H:%M")
    return when.strftime("%d/%m %H:%M" if reader.language == "pt-BR" else "%-d %b %H:%M")
