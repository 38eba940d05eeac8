"""What a configuration key accepts: from the value as TOML has it to the setting, and back to text for showing it."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Any, get_args
from urllib.parse import SplitResult, urlsplit

from appliance.config.durations import DAY, format_duration, parse_duration
from appliance.model import SECOND

Network = IPv4Network | IPv6Network
HIDDEN = "…"
UNIX_SOCKET_PATH_LIMIT = 107  # bytes; Linux, unix(7): sun_path holds 108 with its closing NUL
CONTROL_SOCKET = "control.sock"

# A token or an API secret in the wrong place looks like this; the ids of Twilio (AC…, SK…) are not secret.
_MAYBE_SECRET = re.compile(r"(?<![\w+=-])(?!AC|SK)(?=[A-Za-z_+=-]*[0-9])[\w+=-]{32,}")
_URL_SECRETS = re.compile(r"(?<=//).*(?=@)|[?#].*", re.DOTALL)  # user and password, query and fragment


class Secret(str):
    """Text that `repr()` hides, so that showing what holds it does not show it."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"'{HIDDEN}'"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens. `str()` gives the text form, an IPv6 host in brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Key:
    """One key's rule. `parse` raises ValueError; `allowed` completes the sentence "must be …"."""

    allowed: str
    parse: Callable[[Any], Any]
    types: tuple[type, ...] = (str,)  # as TOML has them
    text: Callable[[Any], object] = str
    secret: bool = False
    is_path: bool = False

    def read(self, raw: object, folder: Path = Path()) -> Any:
        """The setting; `folder` is where a relative path begins. Raises ValueError for what is not allowed."""
        if type(raw) not in self.types:
            raise ValueError("another type")
        if self.is_path and raw and not str(raw).startswith("~"):  # what is no path at all stays, so that it is found
            raw = str(folder / str(raw))
        return self.parse(raw)

    def from_text(self, text: str) -> object:
        """A variable's or a file's text as TOML would have it; left as it is where it has no such form."""
        if list in self.types:
            try:
                return json.loads(text)
            except ValueError:
                return text
        return int(text) if self.types == (int,) and re.fullmatch(r"-?[0-9]{1,18}", text) else text

    def quote(self, raw: object) -> str:
        """A refused value for a fault: one line, no secret, also none that stands in the wrong place."""
        if self.secret:
            return HIDDEN
        if isinstance(raw, list) and list in self.types:
            return f"[{', '.join(map(_quote, raw))}]"
        return _quote(raw)

    def show(self, value: Any) -> object:
        """A setting in the form the file has; of a secret only whether it is set."""
        if self.secret:
            count = f"{len(value)} " if isinstance(value, tuple) and value else "" if value else "not "
            return f"{HIDDEN} ({count}set)"
        if isinstance(value, tuple):
            return [self.text(item) for item in value]
        return None if value in (None, "") else self.text(value)


def printable(text: str) -> str:
    """Hostile text for a message: control characters escaped, at most 120 characters, nothing like a secret."""
    plain = repr(text)[1:-1]
    if _MAYBE_SECRET.search(text) and not text.startswith(("/", ".")):
        return HIDDEN
    return plain if len(plain) <= 120 else plain[:119] + HIDDEN


def _quote(raw: object) -> str:
    if isinstance(raw, str):
        return f"'{printable(_URL_SECRETS.sub(HIDDEN, raw) if '://' in raw else raw)}'"
    if isinstance(raw, int | float):
        return str(raw).lower()[:40]
    return "a list" if isinstance(raw, list) else "a table" if isinstance(raw, dict) else "a date or time"


def text(pattern: str, allowed: str) -> Key:
    def parse(raw: str) -> str:
        return _matching(pattern, raw)

    return Key(allowed, parse)


def choice(literal: object, hint: str = "") -> Key:
    """One of the members of a `Literal`."""
    members = get_args(literal)
    allowed = " or ".join(filter(None, (", ".join(members[:-1]), members[-1])))
    return text("|".join(members), allowed + hint)


def number(low: int, high: int) -> Key:
    def parse(raw: int) -> int:
        return _between(low, raw, high)

    return Key(f"a whole number from {low} to {high}", parse, (int,), int)


def duration(*, zero: str = "", high: int = 366 * DAY) -> Key:
    """At least 1s. `zero`: what 0 means, where it is allowed; there the file may also have a bare 0."""

    def parse(raw: str | int) -> int:
        return 0 if zero and raw in (0, "0") else _between(SECOND, parse_duration(str(raw)), high)

    allowed = f"a duration from 1s to {format_duration(high)}, such as 30s, 15m, 24h or 7d"
    return Key(f"{allowed}, or 0 = {zero}" if zero else allowed, parse, (str, int), format_duration)


def secret(least: int = 1) -> Key:
    def parse(raw: str) -> Secret:
        return Secret(_matching(rf"[!-~]{{{least},}}", raw))

    return Key(f"at least {least} characters, ASCII without spaces", parse, secret=True)


def secrets() -> Key:
    def parse(raw: list[Any]) -> tuple[Secret, ...]:
        return tuple(Secret(_matching("[!-~]+", item)) for item in raw)

    allowed = 'a list of texts, ASCII without spaces, current first: ["current", "next"]; in a variable as JSON'
    return Key(allowed, parse, (list,), secret=True)


def networks() -> Key:
    def parse(raw: list[Any]) -> tuple[Network, ...]:
        return tuple(ip_network(_matching("[0-9A-Fa-f.:/]+", item)) for item in raw)

    allowed = 'a list of IP addresses or networks: ["127.0.0.1", "10.0.0.0/8"]; in a variable as JSON'
    return Key(allowed, parse, (list,))


def names() -> Key:
    def parse(raw: list[Any]) -> tuple[str, ...]:
        return tuple(_matching(r"[0-9A-Za-z](?:[0-9A-Za-z.-]{0,250}[0-9A-Za-z])?", item).lower() for item in raw)

    allowed = 'a list of host names without port: ["answers.example.com"]; in a variable as JSON'
    return Key(allowed, parse, (list,))


def host_port() -> Key:
    def parse(raw: str) -> Address:
        match = re.fullmatch(r"(?:\[(?P<ipv6>[^]]+)]|(?P<host>[0-9A-Za-z.-]+)):(?P<port>[0-9]{1,5})", raw)
        if match is None:
            raise ValueError("not host:port")
        host = match["host"] or str(IPv6Address(match["ipv6"]))
        if re.fullmatch(r"[0-9.]+", host):
            IPv4Address(host)
        return Address(host, _between(0, int(match["port"]), 65_535))

    return Key("host:port, such as 127.0.0.1:8080 or [::1]:8080", parse)


def url(*, host: str = r"[\w.:-]+", note: str = "") -> Key:
    """A base URL that paths are appended to: its trailing slash goes."""

    def parse(raw: str) -> str:
        parts = _split(raw)
        if "@" in parts.netloc or "?" in raw or "#" in raw:
            raise ValueError("more than scheme, host, port and path")
        _matching(host, parts.hostname or "")
        return raw.rstrip("/")

    return Key(f"http:// or https://, host and path{note}; no user, query or fragment", parse)


def secret_url() -> Key:
    """A URL whose path, query or user is the permission to use it (an ntfy topic, a Healthchecks ping)."""

    def parse(raw: str) -> Secret:
        _matching(r"[\w.:-]+", _split(raw).hostname or "")
        return Secret(raw)

    return Key("an http:// or https:// address", parse, secret=True)


def directory_path() -> Key:
    def parse(raw: str) -> Path:
        path = Path(raw).absolute()
        if (
            not raw
            or raw.startswith("~")
            or "\0" in raw
            or len(os.fsencode(path / CONTROL_SOCKET)) > UNIX_SOCKET_PATH_LIMIT
        ):
            raise ValueError("not usable as the storage directory")
        return path

    limit = f"at most {UNIX_SOCKET_PATH_LIMIT} bytes with /{CONTROL_SOCKET}, the limit of a Unix socket"
    relative = "a relative path begins at the file's directory, in a variable at the current one"
    return Key(f"a directory's path, {limit}; ~ is not expanded; {relative}", parse, is_path=True)


def _split(raw: str) -> SplitResult:
    parts = urlsplit(_matching(r"https?://[!-~]+", raw))  # checked first: urlsplit drops line breaks silently
    if parts.port == 0:  # reading the port raises ValueError where it is no port
        raise ValueError("port 0")
    return parts


def _matching(pattern: str, raw: object) -> str:
    if not isinstance(raw, str) or re.fullmatch(pattern, raw, re.ASCII) is None:
        raise ValueError("another form")
    return raw


def _between(low: int, value: int, high: int) -> int:
    if not low <= value <= high:
        raise ValueError("out of range")
    return value
