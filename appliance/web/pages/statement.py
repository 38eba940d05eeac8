"""Twilio's log beside our books, in the words of the pages."""

from collections.abc import Mapping
from functools import partial

from appliance.model import HOUR, Organization
from appliance.operations import statement
from appliance.operations.statement import Day
from appliance.store import Tx
from appliance.store.statements import Difference
from appliance.web.pages.words import Words

RECENT = 12 * HOUR  # so lately a time needs no day


def sentence(tx: Tx, organization: Organization, words: Words) -> str:
    """For home; empty where nothing was compared lately."""
    found = statement.latest(tx, organization)
    if found is None:
        return ""
    at = found.compared_at
    when = words.time(at) if tx.now - at < RECENT else words.when(at)
    if found.is_too_long:
        return words.t("Too many messages at Twilio to compare at {when}.", when=when)
    others = found.differences.get(Difference.ELSEWHERE, 0)
    if found.missing:
        many = "Compared with Twilio at {when}: {count} differences."
        return words.n("Compared with Twilio at {when}: {count} difference.", many, found.missing, when=when)
    if others:
        one = "Compared with Twilio at {when}: nothing is missing; {count} message was sent from elsewhere."
        many = "Compared with Twilio at {when}: nothing is missing; {count} messages were sent from elsewhere."
        return words.n(one, many, others, when=when)
    return words.t("Compared with Twilio at {when}: nothing is missing.", when=when)


def section(tx: Tx, organization: Organization, words: Words) -> Mapping[str, object]:
    """What `statement.html` shows."""
    days = statement.of_day(tx, organization)
    return {
        "statements": days,
        "statement_sentence": sentence(tx, organization, words),
        "settled": partial(settled, words=words),
        "named": named(words),
        "several": len({day.account for day in days}) > 1,
    }


def settled(day: Day, words: Words) -> str:
    """As what a day's messages are settled, in one line."""
    if day.is_too_long:
        return words.t("More messages than can be compared.")
    kinds = named(words)
    return ", ".join(f"{words.number(count)} {kinds[kind]}" for kind, count in day.settled.items()) or words.t("none")


def named(words: Words) -> dict[str, str]:
    """What a message is settled as, and what a difference is called."""
    return {
        "received": words.t("from customers"),
        "sent": words.t("from here"),
        "unknown_number": words.t("to an unknown number"),
        "twilios_own": words.t("Twilio’s own answers"),
        "forgotten": words.t("of forgotten customers"),
        "restored": words.t("sent before the backup was put back"),
        "awaited": words.t("not known yet"),
        Difference.MISSING_HERE: words.t("missing here"),
        Difference.ELSEWHERE: words.t("sent from Twilio’s console or another tool"),
        Difference.DELETED: words.t("deleted at Twilio"),
        Difference.NOT_THERE: words.t("sent from here, and no longer at Twilio"),
        Difference.CLOCK: words.t("stored under another day"),
    }
