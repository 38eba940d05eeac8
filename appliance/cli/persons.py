"""`appliance export`, `forget` and `forgotten`: everything held about a person, and that it goes."""

import asyncio
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import click

from appliance.cli.client import Api, talk
from appliance.cli.owner import as_owner
from appliance.cli.render import moment, one_line, say, say_json
from appliance.cli.session import Command, Session, json_option, org_option, pass_session
from appliance.errors import ApplianceError

PATIENCE = 10.0  # seconds to wait for what is done at once where nothing is under way
PAUSE = 0.25
also_option = click.option("--also", metavar="ADDRESS", multiple=True, help="Another address of the same person.")
TABLES = {  # whose rows are told of, in an owner's words
    "messages": "messages of theirs",
    "outbox": "messages to them",
    "orphaned_messages": "messages to an unknown number",
    "delivery_events": "delivery reports",
    "message_queue": "jobs",
    "cards": "cards",
}


@click.command(cls=Command)
@click.argument("address")
@also_option
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False), help="Default: person.zip.")
@org_option
@json_option
@pass_session
def export(
    session: Session, address: str, also: tuple[str, ...], output: Path | None, org: str | None, as_json: bool
) -> None:
    """Write everything held about a person into one archive: as data, and as a transcript to read."""
    place = output or Path("person.zip")
    if not place.name:
        raise click.BadParameter("It must name a file.", param_hint="'--output'")
    config = session.config()

    async def fetch(api: Api) -> tuple[Any, Any]:
        found = await api.get("contacts", address=address, organization=org)
        return found, await api.post("contacts/export", address=address, also=list(also), organization=org)

    with as_owner(config):  # the file is the caller's
        found, answer = talk(config, fetch, makes=False)
    if as_json:
        say_json(answer)
        return
    person = json.dumps(answer["person"], indent=2)
    try:
        _archive(place, {"person.json": person, "transcript.txt": answer["transcript"]})
    except OSError as error:
        raise ApplianceError(f"{one_line(place)} cannot be written ({error.strerror}).") from error
    click.echo(f"{one_line(place)}: person.json and transcript.txt, readable for you alone.")
    for contact in answer["person"]["contacts"]:
        say([f"  {one_line(contact['channel'])}", *_held(contact["held"])])
    _tell_alike(found["alike"], also)


def _held(held: dict[str, list[Any]]) -> list[str]:
    return [f"    {len(held[name])} {words}" for name, words in TABLES.items() if held[name]]


def _archive(place: Path, content: dict[str, str]) -> None:
    """Whole or not at all, and nobody else's to read."""
    unfinished = place.with_name(f"{place.name}.part")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in content.items():
                archive.writestr(name, text.encode("utf-8", "replace"))
        unfinished.replace(place)
    finally:
        unfinished.unlink(missing_ok=True)


def _tell_alike(alike: list[str], also: tuple[str, ...]) -> None:
    if left := [address for address in alike if address not in also]:
        click.echo(f"Not included, maybe the same person: {', '.join(map(one_line, left))} (--also ADDRESS)")


@click.command(cls=Command)
@click.argument("address")
@also_option
@click.option("--at-twilio", is_flag=True, help="Delete Twilio's copies too, with their media.")
@click.option("--yes", is_flag=True, help="Do not ask; without a terminal nobody is asked.")
@org_option
@json_option
@pass_session
@click.pass_context
def forget(
    ctx: click.Context,
    session: Session,
    address: str,
    also: tuple[str, ...],
    at_twilio: bool,
    yes: bool,
    org: str | None,
    as_json: bool,
) -> None:
    """Forget a person: nothing brings it back. Exit status 1: something is waited for, and the appliance goes on.

    What is being sent, or may have been, is settled first; nothing new is said meanwhile.
    """
    config = session.config()
    found = talk(config, lambda api: api.get("contacts", address=address, organization=org), makes=False)
    asks = sys.stdin.isatty() and not yes
    chosen = [*also, *_asked(found["alike"], also)] if asks else list(also)
    if asks:
        click.confirm(
            f"Forget {', '.join(map(one_line, [address, *chosen]))}? Nothing brings it back.", abort=True, err=True
        )
    wish = {"address": address, "also": chosen, "organization": org, "at_twilio": at_twilio}
    answer = talk(config, lambda api: _followed(api, wish))
    if as_json:
        say_json(answer)
    else:
        say(line for each in answer["forgettings"] for line in _told(each, answer["running"]))
        say(STAYS)
        _tell_alike(found["alike"], tuple(chosen))
    ctx.exit(0 if all(each["state"] == "done" for each in answer["forgettings"]) else 1)


def _asked(alike: list[str], also: tuple[str, ...]) -> list[str]:
    """Never silently: who looks like the same person is asked about, one by one."""
    left = [address for address in alike if address not in also]
    return [each for each in left if click.confirm(f"Is {one_line(each)} the same person?", err=True)]


async def _followed(api: Api, wish: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = await api.post("contacts/forget", **wish)
    give_up = asyncio.get_running_loop().time() + PATIENCE
    query = "&".join(f"id={each['id']}" for each in answer["forgettings"])
    while api.running and asyncio.get_running_loop().time() < give_up:
        if all(each["state"] == "done" for each in answer["forgettings"]):
            break
        await asyncio.sleep(PAUSE)
        answer = await api.get(f"contacts/forgotten?{query}")
    return answer | {"running": api.running}


@click.command(cls=Command)
@json_option
@pass_session
def forgotten(session: Session, as_json: bool) -> None:
    """List who was forgotten, without saying who: how far it is, and which copies still know the person."""
    answer = talk(session.config(), lambda api: api.get("contacts/forgotten"), makes=False)
    if as_json:
        say_json(answer)
    elif not answer["forgettings"]:
        click.echo("Nobody was forgotten yet.")
    else:
        say(line for each in answer["forgettings"] for line in _told(each, running=True))
        say(STAYS)


STATES = {
    "waiting": "waits until what is being sent, or may have been sent, is settled",
    "erasing": "is being erased",
    "cleaning": "is erased; waits until a backup or another reader leaves the file",
    "at_twilio": "is erased here; Twilio's copies are being deleted",
    "rinsing": "is erased; waits until a backup or another reader leaves the file",
    "done": "is forgotten",
}
STAYS = [
    "What stays: rows without words (when, and what became of it), so that the counts hold; a short hash of each sid,",
    "so that a message that comes again is not taken for a new one; a keyed hash of the address, so that a copy that",
    "is put back forgets again, and the wish of somebody who wanted no messages stays in force. With the key beside",
    "the database that hash is personal data still. Not searched: the organization's own knowledge and settings, and",
    "the journal, which has neither words nor whole numbers.",
]


AT_TWILIO = {  # what else the report may say, with a code or an account at the end of the name
    "not_found_at_twilio": "{count} were not there",
    "refused_by_twilio_": "{count} not deleted (Twilio error {which})",
    "unanswered_at_twilio_": "{count} not deleted: the account {which} does not answer, or takes no key of ours",
    "not_configured_": "{count} not deleted: the account {which} is not in the configuration any more",
    "not_listed_": "the log of the account {which} could not be read: only what is known here was looked for",
}


def _at_twilio(report: dict[str, Any]) -> list[str]:
    return [
        words.format(count=count, which=name.removeprefix(start))
        for start, words in AT_TWILIO.items()
        for name, count in report.items()
        if name.startswith(start)
    ]


def _told(forgetting: dict[str, Any], running: bool) -> list[str]:
    report = forgetting["report"]
    state = STATES[forgetting["state"]] if running else "is forgotten when the appliance runs"
    lines = [f"No. {forgetting['id']}, asked for {moment(forgetting['requested_at'])}: {state}"]
    if forgetting["waits_for"] and running:
        lines.append(f"  since {moment(forgetting['waits_since'])}: {one_line(forgetting['waits_for'])}")
    lines += [f"  {report[name]} {words} emptied" for name, words in TABLES.items() if report.get(name)]
    if report.get("never_known"):
        lines.append(
            f"  {report['never_known']} messages to them may have been sent or not: nobody could tell any more"
        )
    if report.get("opted_out"):
        lines.append("  had asked for no messages; that stays in force, as a keyed hash, which is personal data still")
    if forgetting["at_twilio"]:
        left = forgetting["left_at_twilio"]
        lines.append(f"  at Twilio: {report.get('deleted_at_twilio', 0)} messages deleted, {left} to go")
        lines += [f"  at Twilio: {each}" for each in _at_twilio(report)]
    for copy in forgetting["copies"]:
        goes = f"until {moment(copy['goes_at'])}" if copy["goes_at"] else "until you delete it"
        lines.append(f"  still known in {one_line(copy['file'])}: {goes}")
    dates = [copy["goes_at"] for copy in forgetting["copies"] if copy["goes_at"]]
    if dates:
        lines.append(f"  the last daily backup that knows the person goes on {moment(max(dates))[:10]}")
    return lines
