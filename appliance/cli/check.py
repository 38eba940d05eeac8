"""`appliance check`: are the configuration and the database fit to serve? With --online: is everything around them?"""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from appliance.cli.client import Api, beside, talk
from appliance.cli.findings import as_json as json_of
from appliance.cli.findings import encodable, show
from appliance.cli.owner import become_owner
from appliance.cli.render import one_line, say, say_json
from appliance.cli.session import Command, Session, json_option, pass_session
from appliance.config import Config
from appliance.config.accounts import strays
from appliance.diagnosis import box, examination
from appliance.diagnosis.box import Facts
from appliance.diagnosis.finding import Finding, Kind, all_well, found
from appliance.diagnosis.webhook import Repair, shown
from appliance.diagnosis.words import CHANGE, CHANGED, FIELDS, NOTHING, summary
from appliance.errors import ApplianceError, ConfigurationError, DatabaseError, ForeignError, RequestError
from appliance.notices.translation import translated, translation
from appliance.store.database import FILE_NAME, refuse_shared
from appliance.store.restoration import is_present

NOT_FOUND = 404


class ProbeDesk:
    """Implements diagnosis.probe.Desk over the control socket."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def expect(self) -> tuple[str, str] | None:
        try:
            told = await self._api.post("probes")
        except RequestError as error:
            if error.status == NOT_FOUND:
                return None
            raise
        return told["nonce"], told["public_url"]

    async def arrival(self, nonce: str) -> dict[str, Any] | None:
        arrival: dict[str, Any] | None = (await self._api.get(f"probes/{nonce}"))["arrival"]
        return arrival


@click.command(cls=Command)
@click.option("--online", is_flag=True, help="Look at Twilio, the way in, the model and the backups too.")
@click.option("--fix", is_flag=True, help="With --online: set webhooks at Twilio, asking before each.")
@click.option("--yes", is_flag=True, help="With --fix: without asking.")
@json_option
@click.pass_context
@pass_session
def check(session: Session, ctx: click.Context, online: bool, fix: bool, yes: bool, as_json: bool) -> None:
    """Check the configuration and the database, and with --online all that has to be right outside.

    Harmless beside an appliance that serves: no message is sent, none stored. Exit status 0: all is well; 1: something
    is not; 78: the configuration is not.
    """
    if (fix and not online) or (yes and not fix) or (as_json and fix and not yes):
        raise click.UsageError("--fix needs --online, --yes needs --fix, and with --json nobody can be asked.")
    config = session.config(serving=True)
    findings = list(box.of_configuration(config, os.environ))  # while root may read every file
    become_owner(config)
    refuse_shared(config.storage.directory)
    try:
        facts = _facts(config)
    except ApplianceError:
        if not as_json:
            show(findings, config.server.language or "en")
        raise
    known = facts or Facts(config.storage.directory / FILE_NAME, [], [], {})
    language = config.server.language or known.language
    findings += box.of_database(facts) if facts else [found(Kind.DATABASE_NONE, file=str(known.file))]
    if online:
        findings += asyncio.run(_online(config, known, fix, yes, as_json))
    if as_json:
        say_json(json_of(findings, language))
    else:
        show(findings, language)
        click.echo(encodable(f"\n{summary(findings, language)}"))
    ctx.exit(0 if all_well(findings) else 1)


def _facts(config: Config) -> Facts | None:
    """None before the first start. Raises ApplianceError where the database cannot be used, or not with this file."""
    directory = config.storage.directory
    if not is_present(directory):
        nearest = next(path for path in (directory, *directory.parents) if path.exists())
        if not os.access(nearest, os.W_OK | os.X_OK):  # the first start could not make the database
            raise ApplianceError(f"{directory} cannot be made: {nearest} is not writable for this user.")
        return None
    try:
        facts = talk(config, lambda api: _look(api, directory / FILE_NAME))
    except ForeignError as error:
        raise DatabaseError(str(error)) from error  # 78 would say that the configuration is not fit
    if faults := strays(config, facts.channels):
        raise ConfigurationError(faults)
    return facts


async def _look(api: Api, file: Path) -> Facts:
    report, channels = await api.get("verify"), (await api.get("channels"))["channels"]
    topics, organizations = {}, (await api.get("organizations"))["organizations"]
    for each in organizations:
        topics[each["name"]] = len((await api.get("knowledge", organization=each["name"]))["topics"])
    problems = [] if report["ok"] else [one_line(problem) for problem in report["problems"]]
    language = organizations[0]["language"] if organizations else "en"
    return Facts(file, problems, [(each["address"], each["account"]) for each in channels], topics, language)


async def _online(config: Config, facts: Facts, fix: bool, yes: bool, quiet: bool) -> list[Finding]:
    from appliance.assembly.instruments import instruments  # noqa: PLC0415 - the whole product; the rest of the command needs it not

    failed: list[Finding] = []
    language = config.server.language or facts.language
    async with instruments(config) as made, beside(config) as api:
        for wish in await examination.repairs(config, facts, made) if fix else []:
            if not quiet:
                say(_told(wish, language))
            if yes or click.confirm(translation(language).gettext(CHANGE)):
                failed += await examination.repair(wish, made)
            if not quiet:
                click.echo()
        desk = ProbeDesk(api) if api is not None else None
        return [*await examination.examine(config, facts, made, desk), *failed]


def _told(wish: Repair, language: str) -> Iterator[str]:
    """What a change does."""
    before, after, say_it = wish.before, wish.after, translation(language).gettext
    place = say_it(before.place)
    heading = {"place": place[0].upper() + place[1:], "name": one_line(before.name), "account": wish.account}
    yield encodable(say_it(CHANGED).format_map(heading))
    for name, field in FIELDS.items():
        old, new = getattr(before, name), getattr(after, name)
        if old != new:
            old, new = (
                translated(shown(each), language) if name in ("url", "fallback") else each for each in (old, new)
            )
            old, new = (one_line(each or say_it(NOTHING)) for each in (old, new))
            yield encodable(f"  {say_it(field):<12}{old} → {new}")
