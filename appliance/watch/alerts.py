"""alert: each new card, and each reminder, is posted to `alerts.url`, in words that any webhook can show.

Title, priority and tags stand in the headers that ntfy reads (ntfy docs, "Publishing"). Nothing of a customer is in it
but the end of a number.
"""

from dataclasses import replace
from email.header import Header

import aiohttp

from appliance.config import Config
from appliance.model import MINUTE, SECOND, Job
from appliance.notices.sentences import notice
from appliance.operations.cards import Card, in_words
from appliance.ports import Clock
from appliance.queue.outcome import Done, Outcome, Snooze
from appliance.store import Row, Store, Tx
from appliance.watch.outside import fault_of, session

AT_ONCE = 20  # alerts a run
AGAIN = 30 * SECOND
LATER = 5 * MINUTE  # the same after it failed again and again
QUIET = 30 * MINUTE  # in which a state that ends and comes back is told once
TOO_MUCH = ("HTTP 400", "HTTP 413", "HTTP 422", "ValueError")  # of this one alone; the title by itself may be taken
SHORT = 200  # characters


class AlertHandler:
    def __init__(self, store: Store, config: Config, clock: Clock) -> None:
        self._store = store
        self._config = config
        self._clock = clock
        self._failures = 0

    async def run(self, _job: Job) -> Outcome:
        fault = await self.tell()
        if fault is None:
            self._failures = 0
            return Done()
        self._failures += 1
        return Snooze(self._clock.now() + min(AGAIN * self._failures, LATER), f"the alert was not taken: {fault}")

    async def tell(self) -> str | None:
        """All that nobody was told of yet; what went wrong, None where everything was taken."""
        url = self._config.alerts.url
        if url is None:
            return None
        found = await self._store.read(self._untold)
        async with session() as outside:
            for row, card in found:
                fault = await _post(outside, url, card, is_reminder=row["reminders"] > 0)
                if fault in TOO_MUCH:  # else it would be tried for ever, and nobody be told of what comes behind it
                    fault = await _post(outside, url, _short(card), is_reminder=False)
                if fault:
                    return fault
                await self._store.write(lambda tx, row=row: tx.cards.alerted(row["id"], row["reminders"]))  # type: ignore[misc]
        return None

    def give_up(self, _job: Job, error: str) -> Outcome:
        return Snooze(self._clock.now() + LATER, error)

    def _untold(self, tx: Tx) -> list[tuple[Row, Card]]:
        return [(row, in_words(tx, row, self._config.server.language)) for row in untold(tx)[:AT_ONCE]]


def untold(tx: Tx) -> list[Row]:
    """The cards of which nobody was told elsewhere, the gravest first; of what mostly settles itself only when it does
    not.
    """
    found = [row for row in tx.cards.untold_in_the_box() if row["reminders"] or _is_ripe(tx, row)]
    return sorted(found, key=lambda row: -notice(row).priority)


def _is_ripe(tx: Tx, row: Row) -> bool:
    kind = notice(row)
    if 0 <= tx.now - row["opened_at"] < kind.alert_after * SECOND:
        return False
    return not (kind.is_state and tx.cards.was_told_since(row["kind"], row["subject"], tx.now - QUIET))


def _short(card: Card) -> Card:
    """What any server takes: the title alone."""
    return replace(card, title=card.kind, text=_line(card.title)[:SHORT], itself="", todo="")


def _line(words: str) -> str:
    """No header takes a line's end, or a sign that steers a terminal."""
    return "".join(each if each.isprintable() else " " for each in words)


async def _post(outside: aiohttp.ClientSession, url: str, card: Card, *, is_reminder: bool) -> str | None:
    """What went wrong, None where it was taken."""
    title = f"{'⏰ ' if is_reminder else ''}{_line(card.title)}"
    headers = {
        "Content-Type": "text/plain; charset=utf-8",
        "Title": title if title.isascii() else Header(title, "utf-8", maxlinelen=10_000).encode(),
        "Priority": str(card.priority),
        "Tags": card.tags,
    }
    body = "\n".join(part for part in (card.text, card.itself, card.todo) if part)
    return await fault_of(outside.post(url, data=body.encode(), headers=headers, allow_redirects=False))
