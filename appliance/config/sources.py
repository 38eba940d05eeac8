"""Where a setting comes from: variables, secret files, systemd credentials, the file, well-known variables.

The first of these that has the key wins:

1. `APPLIANCE_<SECTION>__<KEY>`
2. the file named in `APPLIANCE_<SECTION>__<KEY>_FILE`
3. the systemd credential `<section>.<key>` (systemd.exec(5), "Credentials")
   (of an account that the file lists the section is `twilio.accounts.<name>`)
4. the configuration file
5. `TWILIO_ACCOUNT_SID`, `TWILIO_AUTH_TOKEN`, `OPENAI_API_KEY`, `OPENAI_BASE_URL`

The last are below the file because they are not ours: a shell often has them for other tools, and real credentials must
not slip into a configuration that names its own, such as the demo's, or lists its accounts.
"""

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from appliance.config.keys import HIDDEN, Key, printable
from appliance.config.sections import LISTED
from appliance.errors import ConfigurationError

WELL_KNOWN = {
    "twilio.account_sid": "TWILIO_ACCOUNT_SID",
    "twilio.auth_tokens": "TWILIO_AUTH_TOKEN",
    "ai.api_key": "OPENAI_API_KEY",
    "ai.base_url": "OPENAI_BASE_URL",
}


@dataclass(frozen=True, slots=True)
class Found:
    """A value as TOML would have it, and where it was found."""

    raw: object
    origin: str
    folder: Path = Path()  # where a relative path begins


@dataclass(frozen=True, slots=True)
class Sources:
    """All that may hold settings. `name` is the file's, for messages, `folder` where it is."""

    document: Mapping[str, Any]
    name: str
    environ: Mapping[str, str]
    folder: Path = Path()

    def lookup(self, name: str, key: Key) -> Found | None:
        """The value in force for the key `name`. Raises ConfigurationError for a secret file that cannot be read."""
        variable = variable_of(name)
        if variable in self.environ:
            return Found(key.from_text(self.environ[variable]), variable)
        variable += "_FILE"
        if variable in self.environ:
            return Found(_content(self.environ[variable], variable, key), variable)
        credentials = self.environ.get("CREDENTIALS_DIRECTORY")
        if credentials and os.path.lexists(f"{credentials}/{name}"):
            return Found(_content(f"{credentials}/{name}", f"credential {name}", key), f"credential {name}")
        section, _, field = name.rpartition(".")
        table = self.document.get(section)
        if isinstance(table, dict) and field in table:
            return Found(table[field], self.name, self.folder)
        lists = any(section.startswith(LISTED) for section in self.document)  # it names its own accounts
        variable = "" if lists and name.startswith("twilio.") else WELL_KNOWN.get(name, "")
        value = self.environ.get(variable)
        return Found([value] if list in key.types else value, variable) if value else None

    def unknown(self, keys: Iterable[str]) -> Iterator[str]:
        """A fault for each section, key and variable that nothing reads, with the nearest that is read."""
        names = list(keys)
        sections = dict.fromkeys(name.rpartition(".")[0] for name in names)
        for section, table in self.document.items():
            if section not in sections:
                yield (
                    _unknown("section", section, sections)
                    if isinstance(table, dict)
                    else _unknown("key", section, names)
                )
            elif not isinstance(table, dict):
                yield f"{section}: must be a section, [{section}]"
            else:
                full = (f"{section}.{key}" for key in table)
                yield from (_unknown("key", name, names) for name in full if name not in names)
        # Only those with `__`: Kubernetes sets `APPLIANCE_PORT` and the like for a service of that name.
        known = [variable_of(name) + ending for name in names for ending in ("", "_FILE")]
        for variable in sorted(self.environ):
            if variable.startswith("APPLIANCE_") and "__" in variable and variable not in known:
                yield _unknown("variable", variable, known)


def variable_of(name: str) -> str:
    """The variable that overrides the key: `APPLIANCE_SERVER__LISTEN` for `server.listen`."""
    return "APPLIANCE_" + name.replace(".", "__").upper()


def read_document(path: Path) -> dict[str, Any]:
    """The parsed configuration file. Raises ConfigurationError with the line where it is not TOML."""
    try:
        return tomllib.loads(_read(path))
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        raise ConfigurationError([f"{path}: must be UTF-8 text"]) from None
    except ValueError as error:
        raise ConfigurationError([f"{path}: must be TOML: {printable(str(error))}"]) from None


def _content(file: str, origin: str, key: Key) -> object:
    """A secret file's value; of a list, one per line."""
    try:
        content = _read(Path(file)).strip()
    except (OSError, ValueError) as error:
        # What does not look like a path may be the secret itself, put into the wrong variable.
        shown = printable(file) if file.startswith(("/", ".")) else HIDDEN
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise ConfigurationError([f"{origin} = {shown}: must be a readable file: {reason}"]) from None
    return (
        [line.strip() for line in content.splitlines() if line.strip()] if list in key.types else key.from_text(content)
    )


def _read(path: Path) -> str:
    return path.read_text("utf-8-sig")  # editors on Windows put a byte order mark


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    nearest = max(known, key=lambda candidate: SequenceMatcher(None, name, candidate).ratio())
    return f"{printable(name)}: unknown {kind}; the nearest known is {nearest}"
