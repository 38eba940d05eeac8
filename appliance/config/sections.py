"""The settings: one frozen Struct per section of the file, and each key with its default and its rule."""

from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec

from appliance.config.keys import (
    Address,
    Key,
    Network,
    Secret,
    choice,
    directory_path,
    duration,
    host_port,
    networks,
    number,
    secret,
    secret_url,
    secrets,
    text,
    url,
)
from appliance.model import HOUR, MINUTE, SECOND

NO_FILE = "defaults and environment"

# Twilio refuses host names with an underscore, in a StatusCallback with error 21609.
_TWILIO_HOST = r"[0-9A-Za-z.:-]+"
_HEX = "[0-9a-fA-F]{32}"

OnDoubt = Literal["resend", "park"]
Provider = Literal["faq", "llm"]
Engine = Literal["sqlite"]
Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "console"]


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of the file. Durations are milliseconds, `None`, "" and () mean not set."""


class Server(Section, kw_only=True, frozen=True):
    listen: Annotated[Address, host_port()] = Address("127.0.0.1", 8080)
    public_url: Annotated[str, url(host=_TWILIO_HOST, note=", the host without underscore")] = ""
    api_key: Annotated[Secret | None, secret(32)] = None
    metrics_listen: Annotated[Address | None, host_port()] = None
    trusted_proxies: Annotated[tuple[Network, ...], networks()] = ()


class Storage(Section, kw_only=True, frozen=True):
    directory: Annotated[Path, directory_path()] = Path("/var/lib/appliance")


class Twilio(Section, kw_only=True, frozen=True):
    account_sid: Annotated[str, text(f"AC{_HEX}", "AC and 32 hexadecimal digits")] = ""
    auth_tokens: Annotated[tuple[Secret, ...], secrets()] = ()
    api_key_sid: Annotated[str | None, text(f"SK{_HEX}", "SK and 32 hexadecimal digits")] = None
    api_key_secret: Annotated[Secret | None, secret()] = None
    api_url: Annotated[str, url()] = "https://api.twilio.com"
    timeout: Annotated[int, duration(high=5 * MINUTE)] = 10 * SECOND
    on_doubt: Annotated[OnDoubt, choice(OnDoubt)] = "resend"
    doubt_grace: Annotated[int, duration()] = 3 * MINUTE
    catch_up_every: Annotated[int, duration(zero="off")] = 5 * MINUTE
    catch_up_answer_within: Annotated[int, duration(zero="off")] = 2 * HOUR


class Ai(Section, kw_only=True, frozen=True):
    provider: Annotated[Provider, choice(Provider)] = "faq"
    base_url: Annotated[str | None, url()] = None
    api_key: Annotated[Secret | None, secret()] = None
    model: Annotated[str | None, text("[!-~]{1,200}", "a model's name, ASCII without spaces")] = None
    max_output_tokens: Annotated[int, number(1, 100_000)] = 400
    context_tokens: Annotated[int, number(1_000, 10_000_000)] = 6_000
    reasoning_effort: Annotated[str | None, text("[A-Za-z_-]{1,40}", "one word of the provider's, such as low")] = None
    deadline: Annotated[int, duration(high=HOUR)] = 45 * SECOND


class Queue(Section, kw_only=True, frozen=True):
    engine: Annotated[Engine, choice(Engine, ", the only engine for now")] = "sqlite"
    concurrency: Annotated[int, number(1, 256)] = 8
    max_attempts: Annotated[int, number(1, 100)] = 5
    reply_max_age: Annotated[int, duration()] = 24 * HOUR


class Conversations(Section, kw_only=True, frozen=True):
    idle_after: Annotated[int, duration()] = 15 * MINUTE
    expire_after: Annotated[int, duration()] = 24 * HOUR
    check_every: Annotated[int, duration(high=24 * HOUR)] = 60 * SECOND
    reply_delay: Annotated[int, duration(zero="answer at once", high=HOUR)] = 3 * SECOND
    reply_delay_max: Annotated[int, duration(zero="answer at once", high=HOUR)] = 12 * SECOND
    human_for: Annotated[int, duration()] = 12 * HOUR
    max_replies_per_hour: Annotated[int, number(0, 10_000)] = 20


class Alerts(Section, kw_only=True, frozen=True):
    url: Annotated[Secret | None, secret_url()] = None


class Log(Section, kw_only=True, frozen=True):
    level: Annotated[Level, choice(Level)] = "info"
    format: Annotated[Format, choice(Format)] = "auto"


class Config(msgspec.Struct, kw_only=True, frozen=True, forbid_unknown_fields=True):
    """All settings. `source` says which file is in force."""

    server: Server = Server()
    storage: Storage = Storage()
    twilio: Twilio = Twilio()
    ai: Ai = Ai()
    queue: Queue = Queue()
    conversations: Conversations = Conversations()
    alerts: Alerts = Alerts()
    log: Log = Log()
    source: str = NO_FILE


SECTIONS: dict[str, type[Section]] = {
    field.name: field.type for field in msgspec.structs.fields(Config) if field.name != "source"
}
KEYS: dict[str, Key] = {
    f"{section}.{field.name}": get_args(field.type)[1]
    for section, struct in SECTIONS.items()
    for field in msgspec.structs.fields(struct)
}


def value_of(config: Config, name: str) -> Any:
    """The setting of the key `<section>.<key>`."""
    section, _, field = name.partition(".")
    return getattr(getattr(config, section), field)
