"""One thing that was looked at: what is so, and what to do about it, as a kind with values. Words are in `words`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum, auto

Value = str | int | float


class Kind(StrEnum):
    CONFIGURATION = auto()
    EXPOSED = auto()
    PRIVATE_URL = auto()
    ACCOUNT = auto()
    DATABASE = auto()
    DATABASE_NONE = auto()
    DATABASE_FAULTY = auto()
    ORGANIZATION = auto()
    NO_ORGANIZATION = auto()
    NO_KNOWLEDGE = auto()

    LOGIN = auto()
    LOGIN_REFUSED = auto()
    TOKEN_STALE = auto()
    KEY_REFUSED = auto()
    UNREACHABLE = auto()
    FULL = auto()
    TRIAL = auto()
    TRIAL_SANDBOX = auto()
    TRIAL_UNKNOWN = auto()
    SUSPENDED = auto()
    CLOCK = auto()
    CLOCK_BEHIND = auto()
    CLOCK_AHEAD = auto()
    SERVICE_ABSENT = auto()

    SANDBOX = auto()
    UNREADABLE = auto()
    OWN_TOKEN = auto()
    NOT_SHOWN = auto()
    NUMBER_ABSENT = auto()
    SENDER_ABSENT = auto()
    SENDER_OFFLINE = auto()
    IN_SERVICE = auto()
    NOT_IN_SERVICE = auto()
    WEBHOOK = auto()
    WEBHOOK_NONE = auto()
    WEBHOOK_ELSEWHERE = auto()
    WEBHOOK_GET = auto()
    WEBHOOK_RETRIES = auto()
    WEBHOOK_FALLBACK = auto()
    WEBHOOK_APPLICATION = auto()
    WEBHOOK_NOT_SET = auto()

    WAY_IN = auto()
    NOT_RUNNING = auto()
    OLDER = auto()
    OTHER_URL = auto()
    DNS = auto()
    REFUSED = auto()
    NO_ROUTE = auto()
    SLOW = auto()
    BROKEN = auto()
    TLS_EXPIRED = auto()
    TLS_NAME = auto()
    TLS_SELF_SIGNED = auto()
    TLS_ISSUER = auto()
    TLS_NONE = auto()
    REDIRECT = auto()
    REWRITTEN = auto()
    UNSIGNED = auto()
    ALTERED = auto()
    ANSWER_CHANGED = auto()
    FORBIDDEN = auto()
    NO_PATH = auto()
    DOWN = auto()
    ANOTHER_BOX = auto()
    STRANGER = auto()

    MODEL = auto()
    MODEL_UNCOUNTED = auto()
    MODEL_FAILED = auto()
    FAQ = auto()

    BACKUP = auto()
    BACKUP_NONE = auto()
    BACKUP_OLD = auto()
    BACKUP_BROKEN = auto()


WELL = frozenset(
    {
        Kind.CONFIGURATION,
        Kind.ACCOUNT,
        Kind.DATABASE,
        Kind.ORGANIZATION,
        Kind.LOGIN,
        Kind.FULL,
        Kind.CLOCK,
        Kind.IN_SERVICE,
        Kind.WEBHOOK,
        Kind.WAY_IN,
        Kind.MODEL,
        Kind.MODEL_UNCOUNTED,
        Kind.FAQ,
        Kind.BACKUP,
    }
)
UNTOLD = frozenset(
    {
        Kind.DATABASE_NONE,
        Kind.TOKEN_STALE,
        Kind.TRIAL_SANDBOX,
        Kind.TRIAL_UNKNOWN,
        Kind.SANDBOX,
        Kind.UNREADABLE,
        Kind.OWN_TOKEN,
    }
)


@dataclass(frozen=True, slots=True)
class Finding:
    """`values`: what its sentences name."""

    kind: Kind
    values: dict[str, Value] = field(default_factory=dict)

    @property
    def ok(self) -> bool | None:
        """None: it cannot be told, or there is nothing to be done about it."""
        return None if self.kind in UNTOLD else self.kind in WELL


def found(kind: Kind, **values: Value) -> Finding:
    return Finding(kind, values)


def all_well(findings: Iterable[Finding]) -> bool:
    return all(each.ok is not False for each in findings)
