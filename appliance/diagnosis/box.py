"""What can be said without asking anybody outside: the configuration, its files, the database, what was registered."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.config import Config
from appliance.config.checks import exposed, is_private
from appliance.diagnosis.finding import Finding, Kind, found
from appliance.model import masked


@dataclass(frozen=True, slots=True)
class Facts:
    """What the database has. `channels`: (address, account); `topics`: how many, by organization; `language`: of the
    first one.
    """

    file: Path
    problems: Sequence[str]
    channels: Sequence[tuple[str, str]]
    topics: Mapping[str, int]
    language: str = "en"


def of_configuration(config: Config, environ: Mapping[str, str]) -> Iterator[Finding]:
    yield found(Kind.CONFIGURATION, source=config.source)
    for file in exposed(config, environ):
        yield found(Kind.EXPOSED, file=str(file), quoted=shlex.quote(str(file)))
    if cannot_be_called(config):
        yield found(Kind.PRIVATE_URL, url=config.server.public_url)
    for account in config.accounts:
        yield found(Kind.ACCOUNT, account=account.name, sid=masked(account.account_sid))


def cannot_be_called(config: Config) -> bool:
    """Whether the public URL is for this network alone, and some account is at the real Twilio, which is not in it."""
    return is_private(config.server.public_url) and not all(is_private(each.api_url) for each in config.accounts)


def of_database(facts: Facts) -> Iterator[Finding]:
    for problem in facts.problems:
        yield found(Kind.DATABASE_FAULTY, problem=problem)
    if not facts.problems:
        yield found(Kind.DATABASE, file=str(facts.file))
    if not facts.topics:
        yield found(Kind.NO_ORGANIZATION)
    for name, topics in facts.topics.items():
        if topics:
            yield found(Kind.ORGANIZATION, name=name, topics=topics)
        else:
            yield found(Kind.NO_KNOWLEDGE, name=name, quoted=shlex.quote(name))
