"""What passes between the appliance and Twilio, as plain values, times in ms UTC. No I/O.

Sources: Twilio docs, "Twilio's request to your incoming message webhook URL" and "Messages resource".
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

MESSAGES_PATH = "/twilio/messages"  # below the public URL; Twilio calls it for what comes in
STATUS_PATH = "/twilio/status"
RETRIES = "#rc=3&rp=ct,rt,5xx"  # stands behind the URL; Twilio tries again, and neither sends nor signs it
PROBE = "probe."  # before the nonce in `o`, where a status callback is none but a test of the way in
PROBE_HEADER = "X-Appliance-Probe"  # has the nonce too, for where a proxy loses the query
SANDBOX = "whatsapp:+14155238886"  # the WhatsApp sandbox's number, which all accounts of the world share
SIMULATED = "AC" + "0" * 32  # the account of the demo, which Twilio gives to nobody: its messages lie on this box
_PLACE = re.compile(r"^\(location: .*\)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Media:
    url: str
    content_type: str


def place(*told: str) -> str:
    """A place that a customer sent, in words: its name, its address, its coordinates; what is empty is left out."""
    return f"(location: {', '.join(part for part in told if part)})"


def without_places(text: str) -> str:
    """What was written beside them: where somebody is does not ask where we are."""
    return _PLACE.sub("", text).strip()


@dataclass(frozen=True, slots=True)
class Alias:
    """Another address of whom a request is about. `evidence`: the parameter in which Twilio says so."""

    address: str
    evidence: str


Parameters = tuple[tuple[str, str], ...]  # all of them, in order, repeats kept


def _but_for(parameters: Parameters, names: Iterable[Alias]) -> Parameters:
    """Without those in which one of these addresses stands, in whatever form."""
    bare = [alias.address.rpartition(":")[2].lstrip("+") for alias in names]
    return tuple((name, value) for name, value in parameters if not any(each in value for each in bare))


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A customer's message as Twilio delivered it. `account`: of ours, for which its signature stands; or none."""

    sid: str
    account_sid: str
    sender: str
    recipient: str
    body: str
    media: tuple[Media, ...] = ()
    message_type: str = ""
    opt_out_type: str = ""
    profile_name: str = ""
    parameters: Parameters = ()
    idempotency_token: str = ""
    account: str = ""
    aliases: tuple[Alias, ...] = ()  # other addresses of the same customer, by Twilio's word

    def without(self, names: Collection[Alias]) -> "InboundMessage":
        """As if Twilio had not said that the customer has these addresses too."""
        others = tuple(alias for alias in self.aliases if alias not in names)
        return replace(self, aliases=others, parameters=_but_for(self.parameters, names))

    @property
    def service(self) -> str:
        """The Messaging Service that it came in through; empty for none, and of what Twilio's log told."""
        return dict(self.parameters).get("MessagingServiceSid", "")


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A status callback. `reference` is the `o` of our own URL: `<outbox id>.<attempt>.<tag>`.

    `accounts`: of ours, for which its signature stands; nothing of another one is touched by it.
    """

    reference: str
    sid: str
    status: str
    error_code: int | None
    account_sid: str
    sender: str
    recipient: str
    parameters: Parameters = ()
    accounts: tuple[str, ...] = ()

    def without(self, names: Collection[Alias]) -> "DeliveryReport":
        """As if Twilio had not named these addresses."""
        return replace(self, parameters=_but_for(self.parameters, names))


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """What the sender needs to make one POST."""

    sender: str
    recipient: str
    body: str
    reference: str = ""  # goes into the StatusCallback URL as `o`
    valid_for: int = 36_000  # seconds that it may wait in Twilio's queue


class SendOutcome(StrEnum):
    ACCEPTED = "accepted"  # 2xx with a sid
    NOT_SENT = "not_sent"  # surely not processed: try again later
    REFUSED = "refused"  # Twilio said no to this message
    DOUBT = "doubt"  # may or may not have been sent


SKEW = 120_000  # ms: the log has whole seconds, the clocks are compared only now, and a POST may be taken late
OUTBOUND = "outbound-api"  # the direction of what we send, and of what a person sends from Twilio's console
_FORMS = (  # Brazil's ninth digit, Argentina's 9 and Mexico's 1: each form reaches the same phone
    (re.compile(r"(\+55[1-9][0-9])9([0-9]{8})"), r"\1\2"),
    (re.compile(r"(\+55[1-9][0-9])([6-9][0-9]{7})"), r"\g<1>9\2"),
    (re.compile(r"(\+54)9([0-9]{10})"), r"\1\2"),
    (re.compile(r"(\+54)([1-8][0-9]{9})"), r"\g<1>9\2"),
    (re.compile(r"(\+52)1([0-9]{10})"), r"\1\2"),
    (re.compile(r"(\+52)([2-9][0-9]{9})"), r"\g<1>1\2"),
)


def is_within(at: int, spans: Sequence[tuple[int, int]], offset: int) -> bool:
    """Whether a time on Twilio's clock lies in one of these spans of ours, give or take what clocks and wires may."""
    return any(on_twilios_clock(start, offset) - SKEW <= at <= end + max(offset, 0) + SKEW for start, end in spans)


def forms(address: str) -> tuple[str, ...]:
    """The address, and the other form in which Twilio's log may show it."""
    prefix, separator, rest = address.rpartition(":")
    others = (pattern.sub(form, rest) for pattern, form in _FORMS if pattern.fullmatch(rest))
    return (address, *(f"{prefix}{separator}{other}" for other in others))


def with_plus(address: str) -> str | None:
    """How Twilio writes a phone number that lacks its +; None for what is none."""
    found = re.fullmatch(r"(whatsapp:)?([0-9]{7,15})", address, re.ASCII)
    return f"{found[1] or ''}+{found[2]}" if found else None


def covering(addresses: Iterable[str]) -> tuple[str, ...]:
    """As many of these addresses as are needed for all their forms."""
    found: dict[str, tuple[str, ...]] = {}
    for address in addresses:
        if not any(address in others for others in found.values()):
            found[address] = forms(address)
    return tuple(found)


class Blame(StrEnum):
    """What a failed send says about more than the one message."""

    NOTHING = "nothing"
    NETWORK = "network"  # no connection could be made
    ACCOUNT = "account"  # credentials, suspension or rate limit of the account
    SENDER = "sender"  # this channel's configuration
    RECIPIENT = "recipient"  # this contact, for a while
    DAY = "day"  # the account has sent all that it may today
    RECIPIENT_OPTED_OUT = "recipient_opted_out"


class Fault(StrEnum):
    """What ails a link, in words that the notices' translations have."""

    NAME = "the name was not found"
    REFUSED = "the connection was refused"
    NO_WAY = "there is no way there"
    TIMEOUT = "no answer in time"
    TLS = "the certificate is not accepted"
    BROKEN = "the connection broke"
    SERVER = "it answers with an error of its own"
    CREDENTIALS = "it does not accept our credentials"
    REFUSES = "it refuses everybody"


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why a call came to nothing, and what the other side or the system said: no body, no address, no secret."""

    fault: Fault
    said: str

    def __str__(self) -> str:
        return f"{self.fault} ({self.said})"


@dataclass(frozen=True, slots=True)
class TwilioMessageResult:
    """What one POST to Twilio's Messages resource came to."""

    outcome: SendOutcome
    sid: str | None = None
    status: str | None = None
    code: int | None = None
    detail: str = ""  # safe for logs and cards: no body, no address
    blame: Blame = Blame.NOTHING
    retry_after: float | None = None  # seconds
    trouble: Trouble | None = None  # of the link, rather than of the message
    segments: int = 0  # as Twilio counts them; with a Messaging Service it may do so only later


@dataclass(frozen=True, slots=True)
class LoggedMessage:
    """A message as Twilio's own log has it. `created_at` is on Twilio's clock, whole seconds."""

    sid: str
    direction: str
    sender: str
    recipient: str
    body: str
    status: str
    error_code: int | None
    created_at: int
    num_media: int = 0
    price: Decimal | None = None  # None: Twilio does not say it (yet); below zero where it costs us
    currency: str = ""
    segments: int = 0  # 0: Twilio has not counted them yet
    at: int = 0  # as created_at: when it was handed on, long after it was scheduled; else that itself


class MisfitKind(StrEnum):
    """What must be changed first so that Twilio's signatures fit."""

    URL = "url"  # server.public_url is not what Twilio calls
    PATH = "path"  # a proxy must take a part of the path away
    SLASH = "slash"  # the address at Twilio has a slash too many
    METHOD = "method"
    TOKEN = "token"  # noqa: S105  # another account's of ours signed
    PARENT = "parent"  # so did that of what may be the account's parent
    UNSIGNED = "unsigned"  # there was no signature
    UNKNOWN = "unknown"  # nothing that is known here fits


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a webhook's signature does not fit; what is empty is as it should be.

    `url`: what Twilio signed, without its query; `public_url`: the setting that fits; `console`: the address for
    Twilio's console that does; `strip`: what a proxy has to take away; `method`: the one that Twilio signed for;
    `other`: the account whose token signed, `is_childs` where that may be the parent of the one that was named.
    """

    kind: MisfitKind
    url: str = field(default="", compare=False)
    public_url: str = ""
    console: str = field(default="", compare=False)
    strip: str = ""
    method: str = ""
    other: str = ""
    is_childs: bool = False

    @property
    def is_proven(self) -> bool:
        """By a token of ours: no stranger can have sent it."""
        return self.kind not in (MisfitKind.UNSIGNED, MisfitKind.UNKNOWN)


@dataclass(frozen=True, slots=True)
class LogRead:
    """A complete read of a part of Twilio's log, oldest first.

    `began_at`: when it began, on our clock. `offset`: Twilio's clock minus ours, milliseconds.
    """

    messages: tuple[LoggedMessage, ...]
    began_at: int
    offset: int

    @property
    def sids(self) -> frozenset[str]:
        return frozenset(message.sid for message in self.messages)


def together(reads: Sequence[LogRead]) -> LogRead:
    """Several reads as one, as old as the oldest of them."""
    first = min(reads, key=lambda read: read.began_at)
    found = {logged.sid: logged for read in reads for logged in read.messages}
    return replace(first, messages=tuple(sorted(found.values(), key=lambda logged: logged.created_at)))


def on_twilios_clock(ours: int, offset: int) -> int:
    """The earliest that a time of ours can be on Twilio's clock, which is `offset` ahead of ours now.

    Ours may have been right then and be behind now: a board without a battery starts with an old one.
    """
    return ours + min(offset, 0)
