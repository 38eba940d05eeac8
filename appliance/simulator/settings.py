"""What is set for an account in Twilio's console: its webhooks by number, short code, service and WhatsApp sender."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from appliance.wire import MESSAGES_PATH, RETRIES

WELCOME = "https://demo.twilio.com/welcome/sms/reply"  # what a new number has


@dataclass(slots=True)
class Setting:
    """`url` None: nobody changed it since it was set up for the account's public URL."""

    url: str | None = None
    method: str = "POST"
    fallback: str = ""
    application: str = ""


@dataclass(slots=True)
class Settings:
    """May be changed at any time. `kind` and `state`: of the account, as Twilio calls them.

    `defers`: services that leave each sender its own webhook. `senders`: what Meta says of WhatsApp senders that are
    not ONLINE, by address. `locked`: nothing may be changed through the API.
    """

    kind: str = "Full"
    state: str = "active"
    defers: set[str] = field(default_factory=set)
    senders: dict[str, str] = field(default_factory=dict)
    locked: bool = False
    changed: dict[str, Setting] = field(default_factory=dict)  # by address or service sid

    def of(self, name: str) -> Setting:
        return self.changed.setdefault(name, Setting())

    def url(self, name: str, public_url: str | None) -> str:
        set_to = self.of(name).url
        if set_to is not None:
            return set_to
        return WELCOME if public_url is None else f"{public_url.rstrip('/')}{MESSAGES_PATH}{RETRIES}"

    def in_force(self, address: str, services: Mapping[str, Collection[str]]) -> str:
        """Whose webhook counts for what comes in at an address: a service's goes before that of what is in its pool."""
        service = next((sid for sid, pool in services.items() if address in pool and sid not in self.defers), None)
        return service or address


def sid_of(kind: str, account_sid: str, name: str) -> str:
    """PN…, SC… or XE…, always the same one for a number, a short code or a sender of an account."""
    return kind + sha256(f"{account_sid}/{name}".encode()).hexdigest()[:32]
