"""One Twilio account on loopback: what it receives, what it accepts, what it tells us."""

import math
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from secrets import compare_digest, token_hex
from typing import Any

import msgspec
from multidict import MultiMapping

from appliance.simulator.canonical import unchanged
from appliance.simulator.delivery import Delivery
from appliance.simulator.faults import Faults
from appliance.simulator.identities import Identities
from appliance.simulator.incident import Incident
from appliance.simulator.keywords import ANSWERS, keyword
from appliance.simulator.lag import Lag
from appliance.simulator.ledger import Change, Entry, Ledger
from appliance.simulator.listing import Undated, page_of, parse_query
from appliance.simulator.parameters import inbound_parameters
from appliance.simulator.refusal import MAX_VALIDITY, RefusedError, check_create, prefix, sender_of
from appliance.simulator.resource import media_sid
from appliance.simulator.settings import Settings
from appliance.simulator.smart_encoding import smart_encoded
from appliance.simulator.webhooks import Webhooks
from appliance.wire import Media

PACE = 0.02


@dataclass(frozen=True, slots=True)
class Draft:
    """What is known of a message before Twilio makes an entry of it."""

    sender: str
    recipient: str
    body: str
    media: tuple[Media, ...] = ()
    status_callback: str = ""
    service: str = ""
    validity: int = MAX_VALIDITY


def _wall_clock() -> int:
    return time.time_ns() // 1_000_000


class Twilio:
    """The account. `auth_tokens`: primary first; all open the REST API, only the first signs.

    `public_url`: where webhooks go (`<public_url>/twilio/messages`); may be set later, None = nowhere.
    `owned`: the account's addresses, empty = any. `api_keys`: key sid → secret. `now`: milliseconds UTC.
    `services`: Messaging Service sid → the addresses in its pool. `parent`: of a subaccount, whose tokens open its REST
    API too; with `signed_by_parent` they sign its webhooks as well.
    `pace`: seconds between two statuses of an outbound message.

    How unkind it is may be changed at any time:
    `undated`: the end of the list at which queued and scheduled messages stand.
    `canonical`: the form in which answers and callbacks show the To of a POST, and the only one that a filter finds.
    `revoked`: the REST API accepts nothing any more.
    `null_from`: every POST is taken as one through a Messaging Service, whose From is null in the log while queued.
    `lag`: seconds by which a read of the list is behind on a message, as far as no fault says more.
    `latency`: seconds from when a request was done until it is answered.
    `rate`, later `delivery.rate`: messages per second of each sender; what is beyond is accepted and stays queued.
    `settings`: what is set in the console, webhooks among it; whoever changes none has good ones for the public URL.
    `identities`: what WhatsApp calls a customer besides the address that the message came from.
    `incident`: trouble for a span of time. `posts`: how many POSTs came for each To, whatever became of them.
    """

    def __init__(
        self,
        account_sid: str,
        auth_tokens: Sequence[str],
        ledger: Ledger | None = None,
        *,
        public_url: str | None = None,
        owned: Collection[str] = (),
        api_keys: Mapping[str, str] | None = None,
        now: Callable[[], int] = _wall_clock,
        pace: float = PACE,
        undated: Undated = "last",
        canonical: Callable[[str], str] = unchanged,
        null_from: bool = False,
        lag: Lag | None = None,
        latency: float = 0.0,
        rate: float = math.inf,
        services: Mapping[str, Collection[str]] | None = None,
        parent: "Twilio | None" = None,
        signed_by_parent: bool = False,
    ) -> None:
        self.account_sid = account_sid
        self.services = services
        self.revoked = False
        self.ledger = ledger if ledger is not None else Ledger()
        self.public_url = public_url
        self.owned = owned
        self.now = now
        self.undated: Undated = undated
        self.canonical = canonical
        self.null_from = null_from
        self.lag = lag
        self.latency = latency
        self.identities = Identities()
        self.settings = Settings()
        self.posts: Counter[str] = Counter()
        self.faults = Faults(lambda: self.now())  # noqa: PLW0108 - the clock may be exchanged
        self._credentials = [(account_sid, token) for token in auth_tokens] + list((api_keys or {}).items())
        self._parent = parent
        self.signing: str = auth_tokens[0]
        self._webhooks = Webhooks(parent.signing if parent and signed_by_parent else auth_tokens[0])
        self.delivery = Delivery(self.ledger, self._webhooks, self.faults, now, pace)
        self.delivery.rate = rate
        self._reads = 0

    @property
    def incident(self) -> Incident | None:
        return self.faults.incident

    @incident.setter
    def incident(self, incident: Incident | None) -> None:
        self.faults.strike(incident)

    def knows(self, username: str, password: str) -> bool:
        """Whether these open the REST API."""
        given = f"{username}:{password}".encode()
        if self._parent is not None and not self._parent.revoked and self._parent.knows(username, password):
            return True
        return any(compare_digest(given, f"{name}:{secret}".encode()) for name, secret in self._credentials)

    def owns(self, username: str) -> bool:
        """Whether it is the account's own login, not its parent's."""
        return any(name == username for name, _ in self._credentials)

    async def receive(
        self,
        from_: str,
        to: str,
        body: str,
        media: Sequence[Media] = (),
        *,
        extra: Mapping[str, str] | None = None,
        sid: str | None = None,
        deliver: bool = True,
        method: str = "POST",
    ) -> tuple[str, int | None]:
        """A customer writes. Returns the sid and the webhook's HTTP status, None when there was no answer.

        A `sid` that is known already delivers that message once more. `deliver` False: the webhook is lost.
        `extra`: parameters added to the webhook; the log does not keep them, as at Twilio.
        A Media without url gets one. `method`: GET where the number is set to it; `settings` may say so as well.
        """
        known = self.ledger.get(sid) if sid is not None else None
        draft = Draft(from_, to, body, tuple(media))
        entry = known or self._record_inbound(draft, sid, (extra or {}).get("OptOutType"))
        set_on = self.settings.in_force(to, self.services or {})
        setting, url = self.settings.of(set_on), self.settings.url(set_on, self.public_url)
        if not deliver or self.public_url is None or setting.application or not url:
            return entry.sid, None
        services = (sid for sid, pool in (self.services or {}).items() if to in pool)
        through = {"MessagingServiceSid": service} if (service := next(services, "")) else {}
        told = self.identities.parameters(entry.sender) | through | dict(extra or {})
        answer = await self._webhooks.call(
            url, inbound_parameters(entry) | told, "GET" if setting.method == "GET" else method
        )
        for text in answer.messages():
            await self.delivery.begin(self._reply(entry, text))
        return entry.sid, answer.status

    def _record_inbound(self, draft: Draft, sid: str | None, opt_out: str | None) -> Entry:
        word = keyword(draft.sender, draft.body, self.ledger.opted_out(draft.sender, draft.recipient))
        entry = self._entry(draft, "inbound", "received", sid)
        base = f"https://api.twilio.com/2010-04-01/Accounts/{self.account_sid}/Messages/{entry.sid}/Media/"
        media = tuple(
            Media(item.url or base + media_sid(entry.sid, index), item.content_type)
            for index, item in enumerate(entry.media)
        )
        entry = self.ledger.record(
            msgspec.structs.replace(entry, media=media, date_sent=entry.date_created, opt_out=opt_out or word)
        )
        if word:
            reply = self._reply(entry, ANSWERS[word])
            for status in ("sent", "delivered"):
                reply = self.ledger.set_status(reply, status, self.now())
        return entry

    def _reply(self, entry: Entry, text: str) -> Entry:
        return self.ledger.record(self._entry(Draft(entry.recipient, entry.sender, text), "outbound-reply", "queued"))

    def create(self, form: MultiMapping[str]) -> Entry:
        """Accept a message from the REST API's parameters, status queued. Raises RefusedError."""
        pool = self._pool(form.get("MessagingServiceSid", ""))
        also = self.identities.others(form.get("To", ""))
        check_create(form, self.ledger, self.owned, self.now(), pool, also)
        is_encoded = form.get("SmartEncoded", "").lower() == "true" and not prefix(form["To"])
        draft = Draft(
            sender_of(form, pool),
            self.canonical(form["To"]),
            smart_encoded(form.get("Body", "")) if is_encoded else form.get("Body", ""),
            tuple(Media(url, "") for url in form.getall("MediaUrl", [])),
            form.get("StatusCallback", ""),
            form.get("MessagingServiceSid", "") or (self._service if self.null_from else ""),
            int(form.get("ValidityPeriod", MAX_VALIDITY)),
        )
        return self.ledger.record(self._entry(draft, "outbound-api", "accepted" if draft.service else "queued"))

    def _pool(self, service: str) -> Collection[str]:
        """The addresses that a Messaging Service sends from. Raises RefusedError where there is no such service."""
        if not service or self.services is None:
            return self.owned
        if service not in self.services:
            raise RefusedError(21701, "The Messaging Service does not exist")
        return self.services[service]

    @property
    def _service(self) -> str:
        return "MG" + self.account_sid[2:]

    def schedule(self, from_: str, to: str, body: str, *, created: int, sent: int | None = None) -> Entry:
        """Put a message into the log that somebody scheduled at `created`, in milliseconds UTC: delivered at `sent`,
        or still waiting (`ledger.set_status` sends it). Scheduling is done by a Messaging Service.
        """
        draft = Draft(from_, self.canonical(to), body, service=self._service)
        entry = self.ledger.record(self._entry(draft, "outbound-api", "scheduled", at=created))
        if sent is not None:
            for status in ("sent", "delivered"):
                entry = self.ledger.set_status(entry, status, sent)
        return entry

    def page(self, query: MultiMapping[str], path: str, behind: float) -> dict[str, Any]:
        """A page of the message list, at least `behind` seconds late. Raises RefusedError."""
        self._reads += 1
        asked, now = parse_query(query, self._reads), self.now()

        def hidden(entry: Entry) -> bool:
            late = max(behind, self.lag(asked, entry) if self.lag is not None else 0.0)
            return late > 0 and entry.date_created > now - late * 1_000

        return page_of(self.ledger, asked, path, now, undated=self.undated, hidden=hidden)

    def _entry(self, draft: Draft, direction: str, status: str, sid: str | None = None, at: int | None = None) -> Entry:
        now = self.now() if at is None else at
        return Entry(
            sid=sid or ("MM" if draft.media else "SM") + token_hex(16),
            account_sid=self.account_sid,
            direction=direction,
            sender=draft.sender,
            recipient=draft.recipient,
            body=draft.body,
            status=status,
            date_created=now,
            date_updated=now,
            media=draft.media,
            status_callback=draft.status_callback,
            service=draft.service,
            validity=draft.validity,
            history=(Change(now, status),),
        )

    async def settle(self) -> None:
        """Wait until every accepted message reached its final status and was called back."""
        await self.delivery.settle()

    async def close(self) -> None:
        """Stop what is on its way, close connections and the ledger."""
        await self.delivery.close()
        await self._webhooks.close()
        self.ledger.close()
