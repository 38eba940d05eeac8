"""The configuration: `config.toml`, environment and credentials become frozen settings; every fault at once.

`config.example.toml` is the reference of all keys, `sources` says which one wins.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance.config.accounts import flattened
from appliance.config.checks import contradictions, missing
from appliance.config.keys import Address, Key, Network, Secret
from appliance.config.sections import (
    KEYS,
    LISTED,
    NO_FILE,
    SECTIONS,
    Account,
    Ai,
    Alerts,
    Config,
    Conversations,
    Log,
    Queue,
    Server,
    Storage,
    Twilio,
    account_keys,
    value_of,
)
from appliance.config.sources import Sources, read_document
from appliance.errors import ConfigurationError

__all__ = [
    "Account",
    "Address",
    "Ai",
    "Alerts",
    "Config",
    "Conversations",
    "Log",
    "Network",
    "Queue",
    "Secret",
    "Server",
    "Storage",
    "Twilio",
    "find",
    "load",
    "places",
    "redacted",
]

DEFAULT_PATHS = (Path("config.toml"), Path("/etc/appliance/config.toml"))
OPENAI_BASE_URL = "https://api.openai.com/v1"


def find(cli_path: Path | None, environ: Mapping[str, str]) -> Path | None:
    """The file in force: `--config`, else `$APPLIANCE_CONFIG`, else the first default path that exists, else none.

    One that was named is returned as it is: `load` says if it does not exist.
    """
    if cli_path is not None:
        return cli_path
    if environ.get("APPLIANCE_CONFIG"):
        return Path(environ["APPLIANCE_CONFIG"])
    return next((path.absolute() for path in DEFAULT_PATHS if _exists(path)), None)


def places() -> list[str]:
    """Where a configuration was looked for in vain, each with what is wrong."""
    missing = (f"{path.absolute()}: is not there" for path in DEFAULT_PATHS)
    return ["--config FILE: was not given", "$APPLIANCE_CONFIG: is not set", *missing]


def load(path: Path | None, environ: Mapping[str, str], *, serving: bool) -> Config:
    """Settings from the file at `path`, if any, and the environment. `serving`: also what only `serve` needs.

    Raises ConfigurationError with one line per fault.
    """
    source = NO_FILE if path is None else str(path)
    try:
        document, unreadable = read_document(path) if path else {}, []
    except ConfigurationError as error:
        document, unreadable = {}, error.faults
    document, names, ill_formed = flattened(document)
    keys = KEYS | {name: key for account in names for name, key in account_keys(account).items()}
    sources = Sources(document, source, environ, path.parent if path else Path())
    settings, refused = _settings(sources, keys)
    faults = [*unreadable, *ill_formed, *sources.unknown(keys), *refused.values()]
    given: dict[str, dict[str, Any]] = {section: {} for section in (*SECTIONS, *(LISTED + name for name in names))}
    for name, value in settings.items():
        section, _, field = name.rpartition(".")
        given[section][field] = value
    given["twilio"]["accounts"] = tuple(Account(name=name, **given[LISTED + name]) for name in names)
    built: dict[str, Any] = {section: struct(**given[section]) for section, struct in SECTIONS.items()}
    config = Config(**built, source=source)
    if not unreadable:  # otherwise what seems to be missing may well be there
        together = [*(missing(config) if serving else ()), *contradictions(config, settings.keys())]
        faults += (fault for keys, fault in together if refused.keys().isdisjoint(keys))
    if faults:
        raise ConfigurationError(faults)
    return config


def redacted(config: Config) -> dict[str, dict[str, object]]:
    """Section → key → the value as the file would have it, None where not set; of a secret only whether it is set.

    A listed account is a section of its own, `twilio.accounts.<name>`.
    """
    shown: dict[str, dict[str, object]] = {}
    for section in SECTIONS:
        shown[section] = {}
        if section == "twilio":
            shown |= {LISTED + each.name: {"name": each.name} for each in config.twilio.accounts}
    keys = KEYS | {name: key for each in config.twilio.accounts for name, key in account_keys(each.name).items()}
    for name, key in keys.items():
        section, _, field = name.rpartition(".")
        shown[section][field] = key.show(value_of(config, name))
    return shown


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:  # it may be there: reading it gives the reason
        return True
    return True


def _settings(sources: Sources, keys: Mapping[str, Key]) -> tuple[dict[str, Any], dict[str, str]]:
    """By key: what is set, and the faults of what is refused."""
    settings: dict[str, Any] = {}
    refused: dict[str, str] = {}
    for name, key in keys.items():
        try:
            found = sources.lookup(name, key)
        except ConfigurationError as error:
            refused[name] = str(error)
            continue
        if found is None:
            continue
        try:
            settings[name] = key.read(found.raw, found.folder)
        except ValueError:
            refused[name] = f"{name} = {key.quote(found.raw)} (from {found.origin}): must be {key.allowed}"
    api_key = settings.get("ai.api_key")
    if api_key and api_key == sources.environ.get("OPENAI_API_KEY"):
        settings.setdefault("ai.base_url", OPENAI_BASE_URL)
    return settings, refused
