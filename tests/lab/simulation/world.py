"""All that is outside the appliance's process and survives its crashes: time, Twilio's ledger, what is on the wire."""

import heapq
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from appliance.model import MAIN, SECOND
from appliance.wire import DeliveryReport, LoggedMessage, forms
from tests.lab.inline import Image
from tests.lab.simulation import listing
from tests.lab.simulation.chance import chance
from tests.lab.simulation.terms import SHAPES, SIDS, Scenario

BEGINNING = 1_800_000_000_000 + 6 * 3600 * SECOND  # 11 o'clock in São Paulo
_FAILED = ("undelivered", "failed")


@dataclass(frozen=True, slots=True)
class Entry:
    """A message in Twilio's ledger. Times are ms on our clock."""

    sid: str
    inbound: bool
    sender: str
    recipient: str
    body: str
    created_at: int
    visible_at: int  # from when on the list shows it
    reference: str = ""  # the `o` of its StatusCallback; empty for what a person sent
    statuses: tuple[tuple[int, str, int | None], ...] = ()  # (when, status, error code)
    listed_as: str = ""  # the recipient in another form, where the list shows that
    shown: str = ""  # the body, where the list shows another one
    account: str = MAIN
    tells: str = ""  # the other address of its customer that its webhook names

    @property
    def listed(self) -> str:
        return self.listed_as or self.recipient

    def logged(self, now: int, offset: int) -> LoggedMessage:
        status, code = next(
            ((status, code) for at, status, code in reversed(self.statuses) if at <= now), ("queued", None)
        )
        return LoggedMessage(
            sid=self.sid,
            direction="inbound" if self.inbound else "outbound-api",
            sender=self.sender,
            recipient=self.listed,
            body=self.shown or self.body,
            status="received" if self.inbound else status,
            error_code=code,
            created_at=(self.created_at + offset) // SECOND * SECOND,
        )


class World:
    """Events are (when, number, kind, value); everything in it is immutable, so a copy is a few shallow lists."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.now = BEGINNING
        self.dice = chance(scenario.seed, 1)
        self.events: list[tuple[int, int, str, Any]] = []
        self.count = 0
        self.entries: list[Entry] = []
        self.posts: dict[
            str, tuple[str, int, int]
        ] = {}  # reference → (shape, when it was put on the wire, in which life)
        self.sent_by: dict[str, str] = {}  # reference → account
        self.ended: dict[str, int] = {}  # reference → when the caller had an answer, gave up or died
        self.acknowledged: dict[str, int] = {}  # inbound sid → when it first heard 200
        self.heard: dict[str, int] = {}  # sid of a word about consent → when the appliance stored it
        self.hooked: dict[str, int] = {}  # … and when it did so because a webhook brought it, which tells no time
        self.reported: list[tuple[str, str]] = []  # (reference, status) of callbacks that heard 204
        self.asked = 0  # of the model
        self.life = 0
        self.joined: int | None = None  # when the appliance had stored that the addresses are one person's
        self.backup: Image | None = None
        self.forgotten: frozenset[str] = frozenset()  # references of what a life sent that a restoration undid
        self.dead: list[tuple[int, int]] = []  # from when to when no process ran
        for written in scenario.written:
            self.at(BEGINNING + written.at, "write", written)
        for when, contact in scenario.by_hand:
            self.at(BEGINNING + when, "by_hand", contact)
        if scenario.copied_at:
            self.at(BEGINNING + scenario.copied_at, "copy")

    def copy(self) -> "World":
        other = object.__new__(World)
        other.__dict__.update(self.__dict__)
        other.dice = self.dice.copy()
        other.events, other.entries, other.reported = self.events[:], self.entries[:], self.reported[:]
        other.posts, other.ended, other.sent_by = self.posts.copy(), self.ended.copy(), self.sent_by.copy()
        other.acknowledged, other.dead = self.acknowledged.copy(), self.dead[:]
        other.heard, other.hooked = self.heard.copy(), self.hooked.copy()
        return other

    def at(self, when: int, kind: str, value: Any = None) -> None:
        self.count += 1
        heapq.heappush(self.events, (when, self.count, kind, value))

    def after(self, milliseconds: int, kind: str, value: Any = None) -> None:
        self.at(self.now + milliseconds, kind, value)

    def person(self, address: str) -> frozenset[str]:
        """All addresses of whoever has this one, as far as the appliance can know."""
        aliases = self.scenario.aliases
        return frozenset(aliases if self.joined is not None and address in aliases else (address,))

    def within(self, span: tuple[int, int]) -> bool:
        return span[0] <= self.now - BEGINNING < span[1]

    @property
    def offline(self) -> bool:
        return self.within(self.scenario.offline)

    @property
    def is_full(self) -> bool:
        return self.within(self.scenario.full)

    @property
    def has_space(self) -> bool:
        """Whether the next write finds some."""
        if not self.is_full:
            return True
        spare = self.scenario.spare
        return not self.dice.one_in(spare) if spare else self.dice.one_in(3)

    def blind(self) -> list[tuple[int, int]]:
        """When nobody could have settled a doubt: no process, no network, no list, no space."""
        scenario = self.scenario
        windows = (scenario.offline, scenario.unreadable, scenario.full, scenario.cut)
        return [*self.dead, *((BEGINNING + start, BEGINNING + end) for start, end in windows)]

    def restored(self, rows: Collection[int], sids: Collection[str]) -> None:
        """An older state of the appliance is back, with these rows in its outbox and these messages."""
        self.forgotten |= {reference for reference in self.posts if int(reference.partition(".")[0]) not in rows}
        self.heard = {sid: at for sid, at in self.heard.items() if sid in sids}
        self.hooked = {sid: at for sid, at in self.hooked.items() if sid in sids}
        self.acknowledged, self.reported = {}, []

    # What Twilio does.

    def write(self, written: Any) -> None:
        """A customer's message reaches Twilio, which calls us, or means to."""
        customer, account = self.scenario.address(written.contact), self.scenario.account(written.contact)
        entry = self._enter(account, True, customer, self.scenario.channel, written.body)
        if written.tells >= 0:
            entry = self.entries[-1] = replace(entry, tells=self.scenario.address(written.tells))
        plan = {"normal": (40,), "doubled": (40, 41), "again": (40, 60_000), "late": (45_000,), "lost": ()}
        if written.hook == "refused":
            self.after(40, "refuse", entry)
        for delay in plan.get(written.hook, ()):
            self.after(delay, "hook", entry)

    def by_hand(self, contact: int) -> None:
        customer, account = self.scenario.address(contact), self.scenario.account(contact)
        self._enter(account, False, self.scenario.channel, customer, "A person here.")

    def _enter(self, account: str, inbound: bool, sender: str, recipient: str, body: str, reference: str = "") -> Entry:
        sid = f"{'IN' if inbound else 'SM'}{len(self.entries):04d}"
        visible = self.now + listing.lag(self, inbound=inbound)
        statuses = () if inbound else self._statuses(reference)
        other = self._other_form(recipient) if self.scenario.other_form and not inbound else ""
        shown = body.replace("Re:", "Re -") if self.scenario.altered and reference else ""
        entry = Entry(
            sid, inbound, sender, recipient, body, self.now, visible, reference, statuses, other, shown, account
        )
        self.entries.append(entry)
        return entry

    def _other_form(self, recipient: str) -> str:
        """Of two addresses that are known to be one person's the other one."""
        if not self.scenario.same:
            return forms(recipient)[-1]
        return min(self.person(recipient) - {recipient}, default="")

    def _statuses(self, reference: str) -> tuple[tuple[int, str, int | None], ...]:
        plan = self.callback_plan() if reference else "normal"
        names = ["sent", "delivered", "read"] if self.scenario.channel.startswith("whatsapp") else ["sent", "delivered"]
        refused, _, code = plan.partition(" ")
        if code:
            names = ["sent", "undelivered"] if refused == "undelivered" else ["failed"]
        elif "undelivered" in plan:
            names = ["sent", "undelivered"]
        elif plan == "stuck":
            names = ["sent"]
        last = plan.partition("early_")[2]
        early = names.index(last) + 1 if last in names else 0
        return tuple(
            (self.now + self._pace(number, early), name, int(code or 30003) if name in _FAILED else None)
            for number, name in enumerate(names)
        )

    def _pace(self, number: int, early: int) -> int:
        """When a status is taken, ms after the message was accepted: before the POST is answered, or long after."""
        if not early:
            return 600 * (number + 1)
        return 5 * (number + 1) if number < early else 12_000 + 600 * number

    def callback_plan(self) -> str:
        if self.scenario.mute and self.within(self.scenario.incident):
            return "lost"
        plans = self.scenario.callbacks
        accepted = sum(1 for entry in self.entries if entry.reference)
        return plans[min(accepted, len(plans) - 1)]

    def is_cut(self, account: str) -> bool:
        return self.scenario.hurts(account) and self.within(self.scenario.cut)

    def is_unreadable(self, account: str) -> bool:
        """Whether nobody can read the account's list now."""
        hidden = self.scenario.hurts(account) and self.within(self.scenario.unreadable)
        return self.offline or hidden or self.is_cut(account)

    def shape(self, account: str) -> str:
        """How the account's next POST fares."""
        if self.offline:
            return "no_connection"
        if self.is_cut(account):
            return "rate_limit"
        if self.scenario.hurts(account) and self.within(self.scenario.incident):
            taken = {"none": False, "half": len(self.posts) % 2 == 1, "all": True}[self.scenario.taken]
            return "error_after" if taken else "error_before"
        return self.scenario.shapes[len(self.posts)] if len(self.posts) < len(self.scenario.shapes) else "accept"

    def arrive(self, account: str, sender: str, recipient: str, body: str, reference: str) -> str:
        """A POST is read by Twilio and accepted; it will be delivered, and told of. Returns the sid."""
        plan = self.callback_plan()
        entry = self._enter(account, False, sender, recipient, body, reference)
        if plan in ("lost", "undelivered_lost", "stuck"):
            return entry.sid
        times = [at for at, _, _ in entry.statuses]
        if plan == "backwards":
            times.reverse()
        late = {"late": 60_000, "overdue": 600_000}.get(plan, 30)
        for at, (_, status, code) in zip(times, entry.statuses, strict=True):
            report = DeliveryReport(
                reference, entry.sid, status, code, SIDS[account], sender, recipient, accounts=(account,)
            )
            for again in range(2 if plan in ("twice", "undelivered") else 1):
                self.at(at + late + 200 * again, "callback", report)
        return entry.sid

    def has_it(self, shape: str) -> bool:
        return SHAPES[shape][0]

    def second(self, entry: Entry) -> int:
        """When a message was written, as Twilio's log tells it."""
        return (entry.created_at + self.scenario.offset) // SECOND

    def inbound(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.inbound]

    def ours(self) -> list[Entry]:
        """What the appliance sent and can know of."""
        return [entry for entry in self.entries if entry.reference and entry.reference not in self.forgotten]

    def elsewhere(self) -> list[Entry]:
        """What somebody sent of whom the appliance cannot know: a person, or itself before it was restored."""
        return [
            entry
            for entry in self.entries
            if not entry.inbound and (not entry.reference or entry.reference in self.forgotten)
        ]
