"""What the settings must be together: which need each other, which must not pass each other."""

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from appliance.config.accounts import Fault, needed, together
from appliance.config.durations import format_duration
from appliance.config.sections import NO_FILE, Config, secrets_of
from appliance.config.sources import variable_of
from appliance.wire import MESSAGES_PATH, STATUS_PATH

PUBLIC_URL = "the https:// address at which Twilio reaches this appliance"
CHAT = "/chat/completions"
_NEAR = ("localhost", "local", "lan", "home", "internal", "home.arpa")  # ends of names that only this network knows


def missing(config: Config) -> Iterator[Fault]:
    """A fault for each key that `serve` needs and nobody set."""
    file = "a configuration file" if config.source == NO_FILE else config.source
    public_url = () if config.server.public_url else [("server.public_url", PUBLIC_URL)]
    for name, meaning in [*public_url, *needed(config)]:
        yield (name,), f"{name}: not set; serve needs it: {meaning}. Set it in {file} or as {variable_of(name)}"


def contradictions(config: Config, given: Collection[str]) -> Iterator[Fault]:
    """All that does not go together. `given`: the keys that somebody set; the others have their defaults."""
    keys = ("server.listen", "server.metrics_listen")
    address = config.server.metrics_listen
    if address == config.server.listen and address.port != 0:
        yield keys, f"{keys[1]} = {address}: must be another address than {keys[0]}"
    yield from together(config)
    yield from _too_much(config)
    why = "not set, but ai.provider = llm needs it"
    if config.ai.provider == "llm" and config.ai.base_url is None:
        where = "https://api.openai.com/v1, or of a local server http://127.0.0.1:11434/v1"
        yield (
            ("ai.provider", "ai.base_url"),
            f"ai.base_url: {why}: the address above /chat/completions, such as {where}",
        )
    if config.ai.provider == "llm" and config.ai.model is None:
        yield ("ai.provider", "ai.model"), f"ai.model: {why}: the model's name as the provider writes it"
    doubt = ("twilio.timeout", "twilio.doubt_grace")
    if config.twilio.timeout >= config.twilio.doubt_grace:
        yield doubt, _too_long(doubt, (config.twilio.timeout, config.twilio.doubt_grace), "shorter than", given)
    talk = config.conversations
    delay = ("conversations.reply_delay", "conversations.reply_delay_max")
    if talk.reply_delay > talk.reply_delay_max:
        yield delay, _too_long(delay, (talk.reply_delay, talk.reply_delay_max), "at most", given)
    ends = ("conversations.idle_after", "conversations.expire_after")
    if talk.idle_after >= talk.expire_after:
        yield ends, _too_long(ends, (talk.idle_after, talk.expire_after), "shorter than", given)


def _too_much(config: Config) -> Iterator[Fault]:
    """A base URL that has what we append to it already: nothing would ever answer below it."""
    public_url, base_url = config.server.public_url, config.ai.base_url or ""
    for path in (MESSAGES_PATH, STATUS_PATH):
        if public_url.endswith(path):
            less = public_url.removesuffix(path)
            yield ("server.public_url",), f"server.public_url = '{public_url}': must end before {path}: '{less}'"
    if base_url.endswith(CHAT):
        less = base_url.removesuffix(CHAT)
        yield ("ai.base_url",), f"ai.base_url = '{base_url}': must end before {CHAT}: '{less}'"


def is_private(url: str) -> bool:
    """Whether only this machine or its network can call it."""
    host = (urlsplit(url).hostname or "").rstrip(".").lower()
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or any(host.endswith(f".{end}") for end in _NEAR)


def exposed(config: Config, environ: Mapping[str, str]) -> list[Path]:
    """Files with secrets that every user of this machine may read."""
    named = [Path(value) for name, value in environ.items() if name.startswith("APPLIANCE_") and name.endswith("_FILE")]
    source = [] if config.source == NO_FILE else [Path(config.source)]
    return [path for path in dict.fromkeys([*source, *named]) if _holds_secrets(path, config) and _is_for_all(path)]


def _holds_secrets(path: Path, config: Config) -> bool:
    try:
        content = path.read_text("utf-8", errors="replace")
    except OSError:
        return False
    return any(secret in content for secret in secrets_of(config))


def _is_for_all(path: Path) -> bool:
    """Whether everybody may read it, and enter every directory above it."""
    place = Path(os.path.realpath(path))
    if not place.stat().st_mode & stat.S_IROTH:
        return False
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in place.parents)


def _too_long(keys: tuple[str, str], values: tuple[int, int], relation: str, given: Collection[str]) -> str:
    """Names both keys, and says of the one that nobody set that it has its default and must be set as well."""
    short, long = (
        f"{key} = {format_duration(value)}{'' if key in given else ' (the default)'}"
        for key, value in zip(keys, values, strict=True)
    )
    default = [key for key in keys if key not in given]
    return f"{short}: must be {relation} {long}" + (f"; set {default[0]} as well" if default else "")
