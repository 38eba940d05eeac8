"""The words of a scenario: shapes of a send, fates of callbacks and of webhooks, ways in which Twilio's list is late."""

from dataclasses import dataclass

from appliance.model import MAIN, SECOND

OTHER = "other"  # the second account
SIDS = {MAIN: "AC" + "0" * 32, OTHER: "AC" + "1" * 32}
SMS = "+551140000000"
WHATSAPP = "whatsapp:+551140000001"
EARLY = ("early_sent", "early_delivered", "early_read", "early_undelivered")  # up to this status before the answer
CALLBACKS = (
    "normal",
    *EARLY,
    "late",
    "overdue",
    "twice",
    "backwards",
    "lost",
    "stuck",
    "undelivered",
    "undelivered_lost",
)
FAILURES = (  # a code that comes by callback, after Twilio had accepted the message
    "undelivered 21610",
    "undelivered 63016",
    "failed 30002",
    "failed 63007",
    "failed 63038",
)
HOOKS = ("normal", "lost", "doubled", "again", "refused", "late")

# What one POST comes to: whether Twilio has the message, and what the appliance hears.
SHAPES = {
    "accept": (True, "created"),
    "refuse": (False, "refused"),
    "rate_limit": (False, "rate_limit"),
    "no_connection": (False, "no_connection"),
    "error_before": (False, "error"),
    "error_after": (True, "error"),
    "timeout_before": (False, "timeout"),
    "timeout_after": (True, "timeout"),
    "reset_before": (False, "reset"),
    "reset_after": (True, "reset"),
    "half_json": (True, "half_json"),
    "no_sid": (True, "no_sid"),
    "late_accept": (True, "late"),
    "bare_429": (False, "bare_429"),
}
FIRST_SHAPES = tuple(SHAPES)  # what the seeds before TROUBLED choose from
LATER_SHAPES = {
    "daily_limit": (False, "daily_limit"),
    "contact_limit": (False, "contact_limit"),
}
SHAPES |= LATER_SHAPES
NOT_SENT = (
    "rate_limit",
    "no_connection",
    "daily_limit",
    "contact_limit",
)  # Twilio surely did nothing with it: the draft may still change
# How Twilio's list is late: all messages alike; each on its own; what our number sends, as a whole; some shards of it;
# or each read by the replica that it happens to reach, so that what was shown is gone again.
LAGS = ("ordered", "own", "channel", "shards", "replicas")
ANSWERS = ("answer", "slow", "retryable", "permanent", "asked_to_wait", "silence", "hang")


@dataclass(frozen=True, slots=True)
class Written:
    """A message from a customer. `hook`: how Twilio's webhook for it fares."""

    at: int  # ms after the beginning
    body: str
    contact: int = 0
    hook: str = "normal"
    tells: int = -1  # its webhook says that its customer is this one too


@dataclass(frozen=True, slots=True)
class Scenario:
    seed: int
    name: str
    channel: str = SMS
    written: tuple[Written, ...] = (Written(SECOND, "#1 horario?"),)
    shapes: tuple[str, ...] = ("accept",)  # of the POSTs in turn; then all are accepted
    callbacks: tuple[str, ...] = ("normal",)  # of the accepted ones in turn; the last one repeats
    answers: tuple[str, ...] = ("answer",)  # of the model in turn; then it answers
    lag: int = 0  # ms until Twilio's list shows a message, at most
    unreadable: tuple[int, int] = (0, 0)  # from when to when Twilio's list cannot be read
    offline: tuple[int, int] = (0, 0)  # from when to when the box has no network
    offset: int = 0  # Twilio's clock minus ours, ms
    by_hand: tuple[tuple[int, int], ...] = ()  # (when, contact): a person answers from Twilio's console
    downtime: int = 5 * SECOND  # of the first crash
    on_doubt: str = "resend"
    deep: bool = False  # worth a second crash after the first
    age: int = 0  # ms: how short queue.reply_max_age is, 0 for the default
    full: tuple[int, int] = (0, 0)  # from when to when most writes find no space
    spare: int = 0  # of so many writes to a full disk only one finds none, 0: of three one finds some
    copied_at: int = 0  # when a backup is taken, ms; the first crash after it ends with that backup being restored
    steady: bool = False  # the list is behind by exactly `lag`, each time
    sweeps: bool = False  # conversations go idle after a minute and expire after five
    lag_kind: str = ""  # one of LAGS; without one each message has its own, between half of `lag` and all of it
    sent_lag: int = 0  # ms by which the list by our number alone is behind the list by contact
    incident: tuple[int, int] = (0, 0)  # from when to when every POST gets a 5xx
    taken: str = "none"  # of the POSTs in an incident: "none", "half" or "all" are accepted all the same
    mute: bool = False  # what is accepted in an incident is never called back for
    altered: bool = False  # the list shows our bodies otherwise than we sent them
    other_form: bool = False  # the list shows our sends under the other form of the number, or another address
    same: tuple[int, ...] = ()  # customers who are one person
    joined_at: int = -1  # at which point of the first life somebody says so; without one a webhook does, or nobody
    second: bool = False  # every other customer writes to the same number through another account
    hurt: str = ""  # the account that incidents and unreadable lists are about; of both where it is empty
    cut: tuple[int, int] = (0, 0)  # from when to when the hurt account refuses everything, its list included

    def account(self, contact: int) -> str:
        """Whose customer it is."""
        return OTHER if self.second and contact % 2 else MAIN

    def hurts(self, account: str) -> bool:
        return self.hurt in ("", account)

    def address(self, contact: int) -> str:
        prefix = "whatsapp:" if self.channel == WHATSAPP else ""
        return f"{prefix}+55119888877{contact:02d}"

    @property
    def aliases(self) -> tuple[str, ...]:
        """The addresses of the one person."""
        return tuple(self.address(contact) for contact in self.same)
