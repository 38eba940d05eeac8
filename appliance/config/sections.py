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
    names,
    networks,
    number,
    secret,
    secret_url,
    secrets,
    text,
    url,
)
from appliance.model import HOUR, MAIN, MINUTE, SECOND

NO_FILE = "defaults and environment"

# Twilio refuses host names with an underscore, in a StatusCallback with error 21609.
_TWILIO_HOST = r"[0-9A-Za-z.:-]+"
_HEX = "[0-9a-fA-F]{32}"
ACCOUNT_NAME = "[a-z][a-z0-9_]{0,31}"

OnDoubt = Literal["resend", "park"]
Provider = Literal["faq", "llm"]
Engine = Literal["sqlite"]
Language = Literal["pt-BR", "en", "es"]
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
    page_hosts: Annotated[tuple[str, ...], names()] = ()
    language: Annotated[Language | None, choice(Language)] = None


class Storage(Section, kw_only=True, frozen=True):
    directory: Annotated[Path, directory_path()] = Path("/var/lib/appliance")


class Account(Section, kw_only=True, frozen=True):
    """One account at Twilio. `parent`: the name of the one that it is a subaccount of."""

    name: str
    account_sid: Annotated[str, text(f"AC{_HEX}", "AC and 32 hexadecimal digits")] = ""
    auth_tokens: Annotated[tuple[Secret, ...], secrets()] = ()
    api_key_sid: Annotated[str | None, text(f"SK{_HEX}", "SK and 32 hexadecimal digits")] = None
    api_key_secret: Annotated[Secret | None, secret()] = None
    messaging_service_sid: Annotated[str | None, text(f"MG{_HEX}", "MG and 32 hexadecimal digits")] = None
    api_url: Annotated[str, url()] = ""
    parent: Annotated[str | None, text(ACCOUNT_NAME, "the name of another account")] = None


class Twilio(Section, kw_only=True, frozen=True):
    """`accounts`: those of the tables [[twilio.accounts]]; the keys of this section itself name one more, `main`."""

    account_sid: Annotated[str, text(f"AC{_HEX}", "AC and 32 hexadecimal digits")] = ""
    auth_tokens: Annotated[tuple[Secret, ...], secrets()] = ()
    api_key_sid: Annotated[str | None, text(f"SK{_HEX}", "SK and 32 hexadecimal digits")] = None
    api_key_secret: Annotated[Secret | None, secret()] = None
    messaging_service_sid: Annotated[str | None, text(f"MG{_HEX}", "MG and 32 hexadecimal digits")] = None
    api_url: Annotated[str, url()] = "https://api.twilio.com"
    accounts: tuple[Account, ...] = ()
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
    ping_url: Annotated[Secret | None, secret_url()] = None


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

    @property
    def accounts(self) -> tuple[Account, ...]:
        """All accounts at Twilio, that of [twilio] itself first; where one names no api_url it has that section's."""
        twilio = self.twilio
        main = Account(
            name=MAIN,
            account_sid=twilio.account_sid,
            auth_tokens=twilio.auth_tokens,
            api_key_sid=twilio.api_key_sid,
            api_key_secret=twilio.api_key_secret,
            messaging_service_sid=twilio.messaging_service_sid,
        )
        listed = (main, *twilio.accounts) if main != Account(name=MAIN) or not twilio.accounts else twilio.accounts
        return tuple(each if each.api_url else msgspec.structs.replace(each, api_url=twilio.api_url) for each in listed)


SECTIONS: dict[str, type[Section]] = {
    field.name: field.type for field in msgspec.structs.fields(Config) if field.name != "source"
}
LISTED = "twilio.accounts."  # stands before an account's name, and that before its keys


def _keys(section: str, struct: type[Section]) -> dict[str, Key]:
    """By dotted name; what has no rule is no key."""
    ruled = ((field.name, get_args(field.type)) for field in msgspec.structs.fields(struct))
    return {f"{section}.{name}": found[1] for name, found in ruled if len(found) == 2 and isinstance(found[1], Key)}


KEYS: dict[str, Key] = {
    name: key for section, struct in SECTIONS.items() for name, key in _keys(section, struct).items()
}


def account_keys(account: str) -> dict[str, Key]:
    """The keys of a table [[twilio.accounts]]."""
    return _keys(f"{LISTED}{account}", Account)


def value_of(config: Config, name: str) -> Any:
    """The setting of the key `<section>.<key>`, or `twilio.accounts.<name>.<key>`."""
    section, _, field = name.rpartition(".")
    if section.startswith(LISTED):
        account = next(each for each in config.twilio.accounts if f"{LISTED}{each.name}" == section)
        return getattr(account, field)
    return getattr(getattr(config, section), field)


def secrets_of(config: Config) -> list[str]:
    """What must never be shown."""
    keys = KEYS | {name: key for each in config.twilio.accounts for name, key in account_keys(each.name).items()}
    values = [value_of(config, name) for name, key in keys.items() if key.secret]
    return [each for value in values if value for each in ([value] if isinstance(value, str) else value)]
