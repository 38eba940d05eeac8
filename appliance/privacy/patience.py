"""A forgetting that cannot go on: why, when it is looked at again, and whom that is told."""

from dataclasses import dataclass
from typing import Any

from appliance.model import HOUR, MINUTE, SECOND
from appliance.queue.tolerance import LATER
from appliance.store import Tx, cards
from appliance.store.cards import CardKind, Fact
from appliance.store.forgotten import Forgetting
from appliance.store.news import Level

UNREAD = 24 * HOUR  # so long Twilio's log is waited for; then it goes on without it
TELL = HOUR  # from when on the owner is told
LONGEST = HOUR  # between two looks
PART = 8  # of what it has waited for already: until the next look


@dataclass(frozen=True, slots=True)
class Wait:
    """`why`: what it waits for and what to do, without anybody's name, in words that the notices' translations have and
    `at`, an account's name, fills; empty: for nothing, there is merely more to do.
    `least` and `most`: until the next look (ms). `unread`: Twilio's log is what it waits for.
    """

    why: str
    least: int = MINUTE
    most: int = LONGEST
    unread: bool = False
    at: str = ""

    def __str__(self) -> str:
        return self.why.format(at=self.at)


MORE = Wait("", 0)
UNDER_WAY = Wait("an answer to the person is under way", SECOND)
IN_DOUBT = Wait(
    "whether a message reached the person is not known; Twilio's log will tell within half an hour", most=LATER
)
READER = Wait("a backup or another program reads the database", 5 * SECOND)
# Without a log that can be read. It goes on after UNREAD.
DOUBT_UNREAD = (
    "Twilio's log of the account {at} cannot be read, which alone tells whether a message reached the person; give the "
    "account a key that works; after 24 hours it goes on without"
)
COPIES_UNREAD = (
    "Twilio's log of the account {at} cannot be read, which alone tells what is to be deleted there; give the account "
    "a key that works; after 24 hours it goes on without"
)
ON_ITS_WAY = Wait("some of the messages are still on their way at Twilio, which deletes them only afterwards", LATER)


def doubt_unread(account: str) -> Wait:
    return Wait(DOUBT_UNREAD, unread=True, at=account)


def copies_unread(account: str) -> Wait:
    return Wait(COPIES_UNREAD, unread=True, at=account)


def is_over(forgetting: Forgetting, now: int) -> bool:
    """Whether Twilio's log was waited for long enough."""
    return forgetting.unread_since is not None and now - forgetting.unread_since >= UNREAD


def left(forgetting: Forgetting, now: int) -> int:
    """Until the next look (ms). A clock that was set back prolongs nothing."""
    until = (forgetting.look_at or 0) - now
    return until if 0 < until <= LONGEST else 0


def note(tx: Tx, forgetting: Forgetting, wait: Wait) -> int:
    """Write down why it waits; when it is looked at again (ms UTC): the longer it waits the later."""
    now = tx.now
    since = min(forgetting.waits_since or now, now)
    unread_since = min(forgetting.unread_since or now, now) if wait.unread else None
    level: Level = "warning" if wait.unread else "debug"
    tx.tell("forgetting waits", level, trouble=f"forgetting {forgetting.id}", error=str(wait), number=forgetting.id)
    look_at = now + min(max(wait.least, (now - since) // PART), wait.most)
    tx.forgotten.wait(forgetting.id, str(wait), since=since, unread_since=unread_since, look_at=look_at)
    subject = cards.forgetting(forgetting.id)
    card = tx.cards.find_in_the_box(CardKind.FORGET, subject)
    about: dict[str, Fact] = {"number": forgetting.id, "why": wait.why, "at": wait.at}
    if now - since >= TELL and (card is None or cards.facts(card) != about):
        tx.cards.open(CardKind.FORGET, subject, forgetting.organization_id, more=1, **about)
    return look_at


def go_on(tx: Tx, forgetting: Forgetting, state: str, **columns: Any) -> None:
    """The next step begins; nothing is waited for any more."""
    tx.forgotten.move(forgetting.id, state, **columns)
    tx.tell("forgetting goes on", over=[f"forgetting {forgetting.id}"], number=forgetting.id, state=state)
    tx.cards.close(CardKind.FORGET, cards.forgetting(forgetting.id))
