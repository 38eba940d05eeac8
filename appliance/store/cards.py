"""Cards: what needs the owner's eye, one open card per kind and subject. The sentence is made when it is shown."""

import json
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, NewType

from appliance.model import MAIN
from appliance.store.contacts import ALIASES
from appliance.store.sql import Row, Sql

Subject = NewType("Subject", str)  # what a card is about, such as "outbox:12"; made only here
BOX = Subject("box")
ACCOUNT = Subject("account")  # that of [twilio] itself
OPENING = "opening"  # a case of WAITING: the person was promised for when the organization opens


class CardKind(StrEnum):
    ORPHAN = "orphan"  # somebody wrote to a number that is nobody's here
    STRANGER = "stranger"  # … or through an account at Twilio that is not configured
    WAITING = "waiting"  # a customer waits for a person; handover/charge alone closes it
    OPTED_OUT = "opted_out"  # a customer who asked for no messages wrote again
    TOO_LATE = "too_late"  # missed, and too old to be answered without being asked
    COULD_NOT_ANSWER = "could_not_answer"
    AI = "ai"  # the model's provider answers nobody; `times` counts customers
    NOT_SENT = "not_sent"
    DOUBT = "doubt"  # not sure it arrived
    UNDELIVERED = "undelivered"
    UNANSWERED = "unanswered"  # dead letters that no card of their own tells of
    SENT_TWICE = "sent_twice"
    TWILIO = "twilio"  # Twilio takes nothing from the account or from a channel
    CREDENTIALS = "credentials"  # Twilio does not accept an account's token or key
    UNREACHABLE = "unreachable"  # no answer from Twilio at all, or nothing but errors of its own
    SIGNATURE = "signature"  # Twilio's webhooks are refused, as their signatures do not fit
    UNHEARD = "unheard"  # Twilio's log has messages that no webhook brought
    LOG = "log"  # Twilio's log cannot be read
    HAND_BACK = "hand_back"  # … and so nobody is handed back to the appliance
    SETTLE = "settle"  # what became of sends in doubt cannot be found out
    CLOCK = "clock"
    RESTORED = "restored"
    BACKUP = "backup"
    STATEMENT = "statement"  # Twilio's log and our books differ: its cases are those of statements.Difference
    MOVED = "moved"  # what was missed before a channel moved is not known
    FORGET = "forget"  # somebody's wish to be forgotten waits for something
    # What is missing or runs out; the watch alone opens and closes these.
    NO_ORGANIZATION = "no_organization"
    NO_KNOWLEDGE = "no_knowledge"
    NOTHING_YET = "nothing_yet"  # no message has ever come in
    NO_BACKUP = "no_backup"
    DISK = "disk"


def account(name: str) -> Subject:
    """An account at Twilio."""
    return ACCOUNT if name == MAIN else Subject(f"account:{name}")


def log_of(name: str) -> Subject:
    """An account's log at Twilio; that of the only one concerns the whole box."""
    return BOX if name == MAIN else account(name)


def stranger(account_sid: str) -> Subject:
    """An account at Twilio that is none of ours."""
    return Subject(f"account_sid:{account_sid}")


def organization(organization_id: int) -> Subject:
    return Subject(f"organization:{organization_id}")


def conversation(conversation_id: int) -> Subject:
    return Subject(f"conversation:{conversation_id}")


def reply(outbox_id: int) -> Subject:
    return Subject(f"outbox:{outbox_id}")


def forgetting(forgetting_id: int) -> Subject:
    return Subject(f"forgetting:{forgetting_id}")


def channel(channel_id: int) -> Subject:
    return Subject(f"channel:{channel_id}")


def number(name: str, address: str) -> Subject:
    """A number of an account that is no channel here."""
    return Subject(f"number:{address}" if name == MAIN else f"number:{address}@{name}")


def statement(organization_id: int, day: str, kind: str) -> Subject:
    """One way in which Twilio's log and our books of a day differ."""
    return Subject(f"statement:{organization_id}:{day}:{kind}")


Fact = str | int | None


def facts(card: Row | Mapping[str, Any]) -> Mapping[str, Fact]:
    """What fills the sentence of a stored card."""
    found: dict[str, Fact] = json.loads(card["facts"])
    return found


def id_in(subject: str) -> int:
    """Of the row that a card is about."""
    return int(subject.partition(":")[2])


# By the index of what is open: the closed ones are more every day.
_TO_BE_SEEN = "closed_at IS NULL AND (organization_id = ?1 OR (?2 AND organization_id IS NULL))"


class Cards:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def open(
        self, kind: CardKind, subject: Subject, organization_id: int | None = None, *, more: int = 1, **facts: Fact
    ) -> int:
        """Open a card, or count `more` times on the open one.

        `facts` fill the sentence of the kind's notice, and hold no body and no full address. `who`: a masked address;
        `why`: English words that the translations have, and in parentheses behind them another's as they are; `said`:
        another's words, or such; `code`: Twilio's; `account`: at Twilio, by its name; `case`: which of a kind's notices
        it is; `since`, `until`: ms UTC.
        """
        now = self._sql.now
        self._sql.run(
            "INSERT INTO cards (organization_id, kind, subject, text, facts, times, opened_at, last_at) "
            "VALUES (?, ?, ?, '', ?, max(?, 1), ?, ?) ON CONFLICT (kind, subject) WHERE closed_at IS NULL "
            "DO UPDATE SET times = times + ?, last_at = excluded.last_at, text = '', facts = excluded.facts",
            organization_id,
            kind,
            subject,
            json.dumps(facts),
            more,
            now,
            now,
            more,
        )
        card_id = self._sql.value(
            "SELECT id FROM cards WHERE kind = ? AND subject = ? AND closed_at IS NULL", kind, subject
        )
        return int(card_id)

    def get_in_the_box(self, card_id: int) -> Row | None:
        """Open or closed."""
        return self._sql.one("SELECT * FROM cards WHERE id = ?", card_id)

    def of_kinds_in_the_box(self, kinds: Iterable[CardKind]) -> list[Row]:
        """The open ones."""
        names = ", ".join(f"'{kind}'" for kind in kinds)
        return self._sql.all(f"SELECT * FROM cards WHERE closed_at IS NULL AND kind IN ({names})")  # noqa: S608

    def counted_in_the_box(self) -> dict[str, int]:
        """How many are open, by kind."""
        return {
            str(row[0]): row[1]
            for row in self._sql.all("SELECT kind, count(*) FROM cards WHERE closed_at IS NULL GROUP BY kind")
        }

    def count(self, kind: CardKind, organization_id: int) -> int:
        """How many are open."""
        return int(
            self._sql.value(
                "SELECT count(*) FROM cards WHERE closed_at IS NULL AND kind = ? AND organization_id = ?",
                kind,
                organization_id,
            )
        )

    def dismiss(self, card_id: int, reason: str) -> None:
        self._sql.run("UPDATE cards SET closed_at = ?, dismissed = ? WHERE id = ?", self._sql.now, reason, card_id)

    def remind(self, card_id: int, case: str | None) -> None:
        """Tell of it once more, in the words of a case where one is given."""
        self._sql.run(
            "UPDATE cards SET reminders = reminders + 1, alerted_at = NULL, "
            "facts = CASE WHEN ?2 IS NULL THEN facts ELSE json_set(facts, '$.case', ?2) END WHERE id = ?1",
            card_id,
            case,
        )

    def untold_in_the_box(self, limit: int = 5_000) -> list[Row]:
        """Open, and nobody was told of it elsewhere; oldest first."""
        return self._sql.all(
            "SELECT * FROM cards WHERE closed_at IS NULL AND alerted_at IS NULL ORDER BY id LIMIT ?", limit
        )

    def was_told_since(self, kind: str, subject: str, time: int) -> bool:
        """Whether somebody was told of the same elsewhere since a time (ms UTC), also where that card is closed."""
        return bool(
            self._sql.value(
                "SELECT EXISTS (SELECT 1 FROM cards WHERE kind = ? AND subject = ? AND alerted_at BETWEEN ? AND ?)",
                kind,
                subject,
                time,
                self._sql.now,  # whatever is later was told before the clock was set back
            )
        )

    def alerted(self, card_id: int, reminders: int) -> None:
        """Somebody was told, unless another reminder has fallen due meanwhile."""
        self._sql.run(
            "UPDATE cards SET alerted_at = ? WHERE id = ? AND reminders = ?", self._sql.now, card_id, reminders
        )

    def find_in_the_box(self, kind: CardKind, subject: Subject) -> Row | None:
        """The open card."""
        return self._sql.one("SELECT * FROM cards WHERE kind = ? AND subject = ? AND closed_at IS NULL", kind, subject)

    def close(self, kind: CardKind, subject: Subject) -> None:
        self._sql.run(
            "UPDATE cards SET closed_at = ? WHERE kind = ? AND subject = ? AND closed_at IS NULL",
            self._sql.now,
            kind,
            subject,
        )

    def close_each(self, kinds: Iterable[CardKind], subject: Subject) -> None:
        self._sql.run(
            "UPDATE cards SET closed_at = ? "
            "WHERE kind IN (SELECT value FROM json_each(?)) AND subject = ? AND closed_at IS NULL",
            self._sql.now,
            json.dumps(list(kinds)),
            subject,
        )

    def close_of_accounts_but(self, names: Iterable[str]) -> None:
        """Those of accounts at Twilio that are not configured any more: nothing would ever end what they tell of."""
        self._sql.run(
            "UPDATE cards SET closed_at = ? WHERE closed_at IS NULL AND subject LIKE 'account:%' "
            "AND subject NOT IN (SELECT 'account:' || value FROM json_each(?))",
            self._sql.now,
            json.dumps(list(names)),
        )

    def times(self, kind: CardKind, subject: Subject) -> int:
        """How often this was told, closed cards included."""
        return int(
            self._sql.value("SELECT coalesce(sum(times), 0) FROM cards WHERE kind = ? AND subject = ?", kind, subject)
        )

    def of_contact(self, kind: CardKind, contact_id: int) -> list[Subject]:
        """What the open cards of a kind are about, in all the contact's conversations, by whichever address."""
        rows = self._sql.all(
            "SELECT subject FROM cards WHERE kind = ?2 AND closed_at IS NULL AND subject IN "  # noqa: S608
            f"(SELECT 'conversation:' || id FROM conversations WHERE contact_id IN {ALIASES})",
            contact_id,
            kind,
        )
        return [Subject(row["subject"]) for row in rows]

    def opened(self, organization_id: int | None, limit: int = 200) -> list[Row]:
        """Newest first; an organization's own, or with None all of the box and the box's own."""
        return self._sql.all(
            "SELECT * FROM cards WHERE closed_at IS NULL AND coalesce(organization_id = ?1, ?1 IS NULL) "
            "ORDER BY id DESC LIMIT ?2",
            organization_id,
            limit,
        )

    def newest(self, organization_id: int, limit: int, *, with_the_box: bool) -> list[Row]:
        """An organization's open ones, and the box's own where asked for; newest first."""
        return self._sql.all(
            f"SELECT * FROM cards WHERE {_TO_BE_SEEN} ORDER BY +id DESC LIMIT ?3",  # noqa: S608
            organization_id,
            with_the_box,
            limit,
        )

    def open_of(self, organization_id: int, *, with_the_box: bool) -> int:
        """How many of these there are."""
        return int(
            self._sql.value(f"SELECT count(*) FROM cards WHERE {_TO_BE_SEEN}", organization_id, with_the_box)  # noqa: S608
        )
