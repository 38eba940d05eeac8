"""`appliance conversations`: who wrote, and what was said with each."""

from collections.abc import Iterator
from typing import Any

import click

from appliance.cli.client import talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.session import Group, Session, json_option, org_option, pass_session

SHOWS = ("all", "waiting", "yours", "trouble")
MOST = 500  # rows; the most that the API gives at once
STATES = {
    "waiting": "waits for you",
    "doubt": "not sure it arrived",
    "undelivered": "did not arrive",
    "unanswered": "not answered",
    "yours": "with you",
    "left": "asked to stop",
    "forgotten": "forgotten",
}
WHOSE = {
    "promised": "The customer was promised a person",
    "asked": "The customer asked for a person",
    "taken": "A person answers",
}
_AUTHORS = {"text": "fixed text", "user": "by hand", "program": "by a program"}


@click.group(cls=Group)
def conversations() -> None:
    """Who wrote, newest first, and what was said with each."""


@conversations.command("list")
@click.option("--show", type=click.Choice(SHOWS), default="all", help="Who waits for you, is with you, or has trouble.")
@click.option("--search", metavar="TEXT", help="A name, a number or words.")
@click.option("--limit", type=click.IntRange(1, MOST), default=50, show_default=True, help="At most so many.")
@click.option("--before", metavar="PLACE", help="Go on where the list before ended.")
@org_option
@json_option
@pass_session
def list_(
    session: Session,
    show: str,
    search: str | None,
    limit: int,
    before: str | None,
    org: str | None,
    as_json: bool,
) -> None:
    """List customers by their last conversation."""
    asked = {"organization": org, "show": show, "q": search, "limit": limit, "before": before}
    answer = talk(session.config(), lambda api: api.get("conversations", **asked), makes=False)
    if as_json:
        return say_json(answer)
    if not answer["conversations"]:
        return click.echo("No conversations.")
    say(table(["ID", "LAST", "WHO", "ADDRESS", "STATE", "WORDS"], map(_row, answer["conversations"])))
    if answer["searched"]["since"] or answer["searched"]["people"]:
        click.echo("Only the newest people and messages were searched; a whole number is found however old.")
    if answer["older"]:
        click.echo(f"There are older ones: --before {answer['older']}")
    return None


def _row(each: dict[str, Any]) -> list[str]:
    last = each["last"]
    said = ("" if last["direction"] == "in" else "> ") + (last["text"] or ", ".join(last["media"])) if last else ""
    at = moment(last["at"] if last else each["updated_at"])
    return [each["id"], at, each["name"], each["address"], STATES.get(each["state"], ""), each["found"] or said]


@conversations.command()
@click.argument("identifier", metavar="ID", type=click.IntRange(1, 10**18 - 1))
@click.option("--before", metavar="PLACE", help="What is older than the part shown before.")
@org_option
@json_option
@pass_session
def show(session: Session, identifier: int, before: str | None, org: str | None, as_json: bool) -> None:
    """Show what was said with a customer, oldest first."""
    path = f"conversations/{identifier}"
    answer = talk(session.config(), lambda api: api.get(path, organization=org, before=before), makes=False)
    if as_json:
        return say_json(answer)
    click.echo(one_line(f"{answer['name'] or 'No name'}, {answer['address'] or 'forgotten'}, to {answer['channel']}"))
    if answer["older"]:
        click.echo(f"There is more before: --before {answer['older']}")
    rows = ([moment(each["at"]), *_told(each)] for each in answer["messages"])
    say(table(["TIME", "FROM", "HOW", "TEXT"], rows, whole=True))
    say(_also(answer))
    return None


def _told(each: dict[str, Any]) -> list[str]:
    if each["direction"] == "in":
        how = {"left": "wants no more messages", "back": "wants messages again"}.get(each["consent"], each["why"])
        return ["customer", how, " ".join([each["body"], *(f"({kind})" for kind in each["media"])]).strip()]
    topics = ", ".join(topic["title"] for topic in each["topics"])
    source = f"topic {topics}" if topics else _AUTHORS.get(each["author"], each["by"])
    state = f"{each['state']}: {each['why']}" if each["why"] else each["state"]
    return ["us", f"{state} ({source})", each["body"]]


def _also(answer: dict[str, Any]) -> Iterator[str]:
    hands = answer["hands"]
    if hands["whose"] != "appliance":
        yield f"{WHOSE[hands['whose']]} since {moment(hands['since'])}."
    if hands["shut"]:
        yield one_line(hands["shut"]["message"])
    for other in answer["also"]:
        yield one_line(f"The same person also writes by {other['address']}: conversation {other['id']}.")
    for each in answer["messages"]:
        if each["letter"]:
            yield f"To be decided: appliance dead-letters retry {each['letter']}, or discard."
