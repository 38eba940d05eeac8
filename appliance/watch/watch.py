"""Compares what is wrong with the cards that are open, and makes them one. For ever, every few seconds."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from appliance.config import Config
from appliance.errors import StorageBrokenError, StorageUnavailableError
from appliance.links import link
from appliance.links.link import Links
from appliance.model import MINUTE, JobKind
from appliance.notices.catalogue import CATALOGUE
from appliance.notices.sentences import Card
from appliance.ports import Accounts, Clock
from appliance.store import Row, Store, Tx
from appliance.store.cards import BOX, CardKind, facts
from appliance.store.database import FILE_NAME
from appliance.watch import alerts, conditions, reminders
from appliance.watch.conditions import OF_LINKS, WATCHED, Condition

log = structlog.get_logger()
EVERY = 15.0  # seconds
ASK_MODEL = MINUTE  # each question is paid for


class Watch:
    """`ask_model`: one question to the model's provider, which its link hears of; `ring`: told of a job that is due;
    `tell`: sends the alerts while no worker does;
    `latest`: what any clock had shown before this run (ms UTC).
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        links: Links,
        config: Config,
        clock: Clock,
        *,
        ask_model: Callable[[], Awaitable[None]],
        ring: Callable[[], None],
        tell: Callable[[], Awaitable[None]],
        latest: int,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._links = links
        self._config = config
        self._clock = clock
        self._ask_model = ask_model
        self._ring = ring
        self._tell_elsewhere = tell
        self._latest = latest
        self._started_at = clock.now()
        self.unstored: Sequence[Condition] = ()  # what no card can tell, as the disk takes none

    async def watch(self) -> None:
        while True:
            await self._clock.sleep(EVERY)
            try:
                await self.look()
            except StorageBrokenError:
                raise
            except Exception as error:  # noqa: BLE001  # such as a read that took too long; the next look comes soon
                log.error("the watch saw nothing", error=type(error).__name__)

    async def look(self) -> None:
        """Ask the links that are in trouble, or that nobody has asked, and tell what is wrong."""
        await asyncio.gather(*map(self._probe, self._accounts))
        disk = conditions.space(self._store.directory, FILE_NAME)
        found = list(conditions.of_links(self._links, self._config, self._clock.now()))

        def see(tx: Tx) -> tuple[bool, bool]:
            found.extend(list(conditions.of_the_sends(tx, self._config, found)))
            found.extend(conditions.of_the_clock(tx, self._latest))
            found.extend(conditions.of_the_box(tx, self._config, disk, self._started_at))
            return self._differs(tx, found), tx.cards.find_in_the_box(CardKind.AI, BOX) is not None

        try:
            differs, is_model_silent = await self._store.inspect(see)  # with much to count it takes its time
            if differs:
                await self._store.write(lambda tx: self._tell(tx, found))
                self._ring()
            self.unstored = ()
            await self._tell_elsewhere()
        except StorageUnavailableError:
            self.unstored = found
            return
        if is_model_silent:
            await self._ask_about_the_model()

    def untold(self) -> list[Card]:
        """What is `unstored`, as the store would have it."""
        return [each.as_card(self._clock.now()) for each in self.unstored]

    async def _probe(self, account: str) -> None:
        known = self._links.get(link.of_account(account))
        if known.asked_at is None or known.trouble is not None:
            await self._accounts[account].sender.probe()  # the link hears of it

    async def _ask_about_the_model(self) -> None:
        """While its card is open, whether or not a customer writes."""
        if abs(self._clock.now() - (self._links.get(link.AI).asked_at or 0)) >= ASK_MODEL:  # a clock may be set back
            await self._ask_model()

    def _differs(self, tx: Tx, found: Sequence[Condition]) -> bool:
        opened = tx.cards.of_kinds_in_the_box(WATCHED)
        return bool(
            list(_missing(found, opened))
            or self._over(found, opened)
            or self._model_answers(tx)
            or reminders.due(tx)
            or self._is_to_be_told_elsewhere(tx)
        )

    def _is_to_be_told_elsewhere(self, tx: Tx) -> bool:
        return bool(self._config.alerts.url and alerts.untold(tx)) and not tx.jobs.is_ticking(JobKind.ALERT)

    def _tell(self, tx: Tx, found: Sequence[Condition]) -> None:
        opened = tx.cards.of_kinds_in_the_box(WATCHED)
        for each in _missing(found, opened):
            tx.cards.open(each.kind, each.subject, each.organization_id, more=0, **each.facts)
            if each.kind not in OF_LINKS:  # a link tells of its own trouble
                about = f"{each.kind} {each.subject}"
                error = CATALOGUE[each.kind].title.format_map(defaultdict(str, each.facts))
                tx.tell("the owner was told", "warning", trouble=about, card=each.kind, error=error)
        for card in self._over(found, opened):
            tx.cards.close(card["kind"], card["subject"])
            tx.tell("a card was closed", over=[f"{card['kind']} {card['subject']}"], card=card["kind"])
        if self._model_answers(tx):
            tx.cards.close(CardKind.AI, BOX)
            tx.tell("the model answers", over=[link.AI])
        reminders.remind(tx)
        if self._is_to_be_told_elsewhere(tx):
            tx.jobs.tick(JobKind.ALERT)

    def _over(self, found: Iterable[Condition], opened: Iterable[Row]) -> list[Row]:
        """The cards whose trouble is over."""
        still = {(each.kind, each.subject) for each in found}
        now = self._clock.now()
        unsure = [name for name in self._accounts if conditions.is_unsure(self._links, name, now)]
        return [
            card
            for card in opened
            if (card["kind"], card["subject"]) not in still
            and not (card["kind"] in OF_LINKS and facts(card).get("account") in unsure)
        ]

    def _model_answers(self, tx: Tx) -> bool:
        """It answered somebody, or the watch itself, after the last customer was told that it does not."""
        card = tx.cards.find_in_the_box(CardKind.AI, BOX)
        answered = self._links.get(link.AI).answered_at
        return card is not None and answered is not None and answered > card["last_at"]


def _missing(found: Iterable[Condition], opened: Iterable[Row]) -> Iterable[Condition]:
    """What has no card yet, or one that tells it otherwise."""
    told = {(card["kind"], card["subject"]): facts(card) for card in opened}
    return (each for each in found if told.get((each.kind, each.subject)) != dict(each.facts))
