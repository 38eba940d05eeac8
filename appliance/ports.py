"""What is swapped at the edges: who answers, who sends, what time it is. Protocols, what they pass, errors."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from appliance.model import Channel, Organization, TextKey, Topic
from appliance.wire import (
    LoggedMessage,
    LogRead,
    Media,
    OutboundMessage,
    Trouble,
    TwilioMessageResult,
)


class Clock(Protocol):
    """Time as the use cases see it. Tests move it by hand."""

    def now(self) -> int:
        """Wall clock, milliseconds UTC; may jump."""

    def monotonic(self) -> float:
        """Seconds that never go back."""

    async def sleep(self, seconds: float) -> None: ...


class Shelf(Protocol):
    """An organization's topics, ready to be asked which of them are like a question."""

    @property
    def topics(self) -> Sequence[Topic]:
        """All of them, oldest first."""

    def alike(self, question: str) -> Sequence[tuple[Topic, float]]:
        """Topics that look like the question by their letters, with a likeness of 0 … 1, most like first."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the history as a model sees it."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Dialogue:
    """All a responder may know: who asks whom, what was said, what must be answered now."""

    organization: Organization
    questions: tuple[str, ...]  # the live messages, oldest first
    turns: tuple[Turn, ...] = ()  # what was said before them, oldest first
    topics: tuple[Topic, ...] = ()  # proposed by full-text search, best first
    first_contact: bool = True  # nothing was sent in this conversation yet
    unknown_streak: int = 0  # "don't know" answers in a row just before, menus left out
    background: tuple[Topic, ...] = ()  # the other topics of a small knowledge base
    menu: tuple[str, ...] = ()  # the titles offered by the last menu that reached the customer
    shelf: Shelf | None = None  # all that the organization knows
    asked_at: int | None = None  # now, for "are you open?"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a responder decided: its own words (`text`), a fixed text (`key`), or neither = no reply needed."""

    source: str  # where the words come from: a topic's title, a model's name, a rule
    text: str = ""
    key: TextKey | None = None
    options: tuple[str, ...] = ()  # with MENU: the titles to choose from
    unknown: bool = False  # it has no answer to what was asked
    topics: tuple[str, ...] = field(default=(), compare=False)  # the titles that its words are from; as `source` says
    # What a model took in and gave out, where its server counts them; two that say the same are equal.
    tokens: tuple[int, int] | None = field(default=None, compare=False)


class ResponderError(Exception):
    """The responder has no answer. `str()` is safe for logs and cards and never reaches a customer."""


class Retryable(ResponderError):
    """Trying again may help.

    `unreachable`: nothing came back; it may be the network, and `trouble` says why. `retry_after`: seconds the provider
    asked for. `is_paid`: it did answer, with what cannot be used: one more try is enough.
    """

    def __init__(
        self,
        reason: str,
        *,
        unreachable: bool = False,
        retry_after: float | None = None,
        is_paid: bool = False,
        trouble: Trouble | None = None,
    ) -> None:
        super().__init__(reason)
        self.unreachable = unreachable
        self.trouble = trouble
        self.retry_after = retry_after
        self.is_paid = is_paid


class Permanent(ResponderError):
    """Trying again cannot help.

    `for_all`: nor can anybody else be answered until the owner does something (a wrong key, no such model, no credit
    left), and `str()` has the provider's words for it. Otherwise it is this one message's own, and says nothing about
    the provider.
    """

    def __init__(self, reason: str, *, for_all: bool = False) -> None:
        super().__init__(reason)
        self.for_all = for_all


class Responder(Protocol):
    """Reads a dialogue, decides the reply. Must be safe to call again with the same dialogue."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        """Decide within `timeout` seconds. Raises Retryable or Permanent."""

    async def close(self) -> None: ...


class Sender(Protocol):
    """Hands one message to Twilio. Never raises for what Twilio or the network did: the result says it."""

    async def send(self, message: OutboundMessage) -> TwilioMessageResult: ...

    async def probe(self) -> Trouble | None:
        """Ask Twilio for next to nothing, as ourselves; None: it answered us."""

    async def close(self) -> None: ...


class LogUnavailableError(Exception):
    """Twilio's log could not be read completely; what was read proves nothing. `trouble`: where it is the link's."""

    def __init__(self, reason: str, trouble: Trouble | None = None) -> None:
        super().__init__(reason)
        self.trouble = trouble


class TooMuchError(LogUnavailableError):
    """There is more than a complete read may take: it will stay so."""


class MessageLog(Protocol):
    """Twilio's own log: the second copy of the truth. Each read is complete or raises LogUnavailableError.

    `since`: from when on, ms; on Twilio's clock, with `ours` on our own (see wire.on_twilios_clock).
    """

    async def inbound(self, channel: str, since: int, *, sender: str = "", ours: bool = False) -> LogRead:
        """What came in at a channel, from one sender or from all."""

    async def outbound(self, channel: str, contact: str, since: int, *, ours: bool = False) -> LogRead:
        """What went from a channel to a contact, under every form of its address. Raises TooMuchError as well."""

    async def sent(self, channel: str, since: int, *, ours: bool = False) -> LogRead:
        """What went from a channel to anybody and was handed on by Twilio. Raises TooMuchError as well."""

    async def traffic(self, channel: str, since: int) -> LogRead:
        """What came in at a channel and what Twilio handed on from it, by that time. Raises TooMuchError as well."""

    async def said(self, channel: str, since: int) -> LogRead:
        """The same as soon as Twilio handed it on at once: what it kept back for long may be missing."""

    async def message(self, sid: str) -> LoggedMessage | None:
        """One message as it stands now; None where Twilio does not have it (any more). Raises LogUnavailableError."""

    async def media(self, sid: str) -> tuple[Media, ...]:
        """What is attached to a message. Raises LogUnavailableError."""

    async def delete(self, sid: str) -> int | None:
        """Delete a message with its media. None: done; else Twilio's code why not, 20404 where there is no such
        message (any more). Raises LogUnavailableError.
        """


class Missed(Protocol):
    """Brings in what Twilio has and we do not."""

    async def fetch(self, channel: Channel) -> bool:
        """What came in at a channel until now, by its account's log. False where something of it must be waited for.
        Raises LogUnavailableError.
        """


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """One account of ours at Twilio: it knows nothing of the others."""

    sender: Sender
    log: MessageLog


Accounts = Mapping[str, TwilioAccount]  # by their names


class ConsoleError(Exception):
    """Twilio did not tell. `str()` is safe to show; `status` is its HTTP status, where it answered at all."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        super().__init__(reason)
        self.status = status


class Place(StrEnum):
    """What Twilio lets one set a webhook on."""

    NUMBER = "number"
    SHORT_CODE = "short code"
    SERVICE = "Messaging Service"
    SENDER = "WhatsApp sender"


@dataclass(frozen=True, slots=True)
class Hook:
    """Where Twilio calls for what comes in. `name`: the number or sender as a channel has it, or the service's sid.

    `application`: of a number; what is set there counts in place of the rest. `state`: of a WhatsApp sender.
    `pool`: of a service, its senders; with `defers` each of them has its own webhook.
    """

    place: Place
    sid: str
    name: str
    url: str
    method: str
    fallback: str
    application: str = ""
    state: str = "ONLINE"
    pool: tuple[str, ...] = ()
    defers: bool = False


@dataclass(frozen=True, slots=True)
class Login:
    """One pair of user and secret of an account, as they are numbered in the configuration."""

    is_key: bool
    number: int
    accepted: bool


@dataclass(frozen=True, slots=True)
class AccountState:
    """`kind`: Trial or Full; `state`: active, suspended or closed."""

    kind: str
    state: str


class Console(Protocol):
    """What is set for one account at Twilio. Every method but `close` raises ConsoleError."""

    @property
    def reads_messaging(self) -> bool:
        """Whether Messaging Services and WhatsApp senders can be read: not with a parent's login."""

    async def logins(self) -> tuple[Sequence[Login], int]:
        """Each login, and by how many ms Twilio's clock is ahead of ours."""

    async def account(self) -> AccountState | None:
        """None where no login of ours may read it."""

    async def hook(self, address: str) -> Hook | None:
        """Of a number, a short code or a WhatsApp sender; None where the account has none with this address."""

    async def services(self) -> Sequence[Hook]:
        """All Messaging Services of the account."""

    async def set(self, hook: Hook) -> None:
        """Its URL, method and fallback, and no application any more."""

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Trial:
    """What one call of a model took; tokens are None where the server does not count them."""

    model: str
    seconds: float
    tokens_in: int | None = None
    tokens_out: int | None = None


class Model(Protocol):
    """Whom a responder asks."""

    async def trial(self, timeout: float) -> Trial:
        """One call, as small as the model lets it be. Raises Retryable or Permanent."""

    async def close(self) -> None: ...
