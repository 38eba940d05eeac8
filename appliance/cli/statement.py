"""`appliance statement`: so many messages at Twilio, so many here, and what the others are."""

from collections.abc import Iterator
from typing import Any

import click

from appliance.cli.client import talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.session import Command, Session, json_option, org_option, pass_session

# What a message is settled as, and what a difference is called.
WORDS = {
    "received": "from customers",
    "sent": "from here",
    "unknown_number": "to an unknown number",
    "twilios_own": "Twilio's own answers",
    "forgotten": "of forgotten customers",
    "restored": "sent before the restoration",
    "awaited": "not known yet",
    "missing_here": "missing here",
    "elsewhere": "sent from Twilio's console or another tool",
    "deleted": "deleted at Twilio",
    "not_there": "sent from here, and not at Twilio any more",
    "clock": "taken down with another day's time",
}


@click.command(cls=Command)
@click.option("--day", metavar="YYYY-MM-DD", help="One day, where the organization is; without it the last seven.")
@org_option
@json_option
@pass_session
@click.pass_context
def statement(ctx: click.Context, session: Session, day: str | None, org: str | None, as_json: bool) -> None:
    """Compare Twilio's log with what is stored, by day and account. Exit status 1: they differ.

    They are compared every hour, without the newest minutes. A difference that was put away, or went away, is shown and
    counts no more.
    """
    answer = talk(session.config(), lambda api: api.get("statement", day=day, organization=org), makes=False)
    found = answer["statements"]
    if as_json:
        say_json(answer)
    elif found:
        say(_told(found))
    else:
        click.echo("Nothing was compared with Twilio's log yet." if day is None else "That day was not compared.")
    ctx.exit(1 if any(each["is_open"] for row in found for each in row["differences"]) else 0)


def _told(found: list[dict[str, Any]]) -> Iterator[str]:
    yield f"Compared with Twilio's log at {moment(max(row['compared_at'] for row in found))}."
    headings = ("DAY", "ACCOUNT", "THERE", "HERE", "SETTLED AS")
    yield from table(headings, [_row(row) for row in found], whole=True)
    for row in found:
        for each in row["differences"]:
            yield f"{row['day']}  {_difference(each)}"


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    if row["is_too_long"]:
        return row["day"], row["account"], "–", "–", "more messages than can be compared"
    settled = ", ".join(f"{count} {WORDS[kind]}" for kind, count in row["settled"].items())
    return row["day"], row["account"], row["there"], row["here"], settled or "no messages"


def _difference(each: dict[str, Any]) -> str:
    state = "" if each["is_open"] else " (gone)" if each["settled_at"] else " (put away)"
    return one_line(f"{WORDS[each['kind']]}: {each['who']} {each['sid']}{state}")
