"""`appliance dead-letters` (alias `jobs`): work that was given up and waits for a person."""

from typing import Any

import click

from appliance.cli.client import talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.session import Group, Session, json_option, org_option, pass_session

MOST = 500  # rows; the most that the API gives at once
id_argument = click.argument("identifier", metavar="[ID]", type=click.IntRange(1, 10**18 - 1), required=False)
all_option = click.option("--all", "everything", is_flag=True, help="All of them.")


@click.group("dead-letters", cls=Group)
def dead_letters() -> None:
    """Work that was given up and waits for a person (alias: jobs)."""


@dead_letters.command("list")
@org_option
@json_option
@pass_session
def list_(session: Session, org: str | None, as_json: bool) -> None:
    """List the dead letters; with --org an organization's alone."""
    answer = talk(session.config(), lambda api: api.get("dead-letters", limit=MOST, organization=org))
    if as_json:
        say_json(answer)
    elif answer["dead_letters"]:
        rows = (
            [each["id"], moment(each["finished_at"]), each["contact"] or each["kind"], each["attempts"], each["error"]]
            for each in answer["dead_letters"]
        )
        say(table(["ID", "SINCE", "CUSTOMER", "TRIES", "WHY"], rows))
        if len(answer["dead_letters"]) == MOST:
            click.echo(f"These are the newest {MOST}; `appliance status` counts all of them.")
    else:
        click.echo("No dead letters.")


@dead_letters.command()
@id_argument
@all_option
@json_option
@pass_session
@click.pass_context
def retry(ctx: click.Context, session: Session, identifier: int | None, everything: bool, as_json: bool) -> None:
    """Try again. Exit status 1: refused, with the reason, as where the customer has an answer."""
    path = f"{_path(identifier, everything)}/retry"
    answer = talk(session.config(), lambda api: api.post(path))
    ctx.exit(_told(answer, as_json, answer.get("retried", [identifier]), "to be tried again"))


@dead_letters.command()
@id_argument
@all_option
@json_option
@pass_session
@click.pass_context
def discard(ctx: click.Context, session: Session, identifier: int | None, everything: bool, as_json: bool) -> None:
    """Give up for good."""
    path = _path(identifier, everything)
    answer = talk(session.config(), lambda api: api.delete(path))
    ctx.exit(_told(answer, as_json, answer.get("discarded", [identifier]), "discarded"))


def _path(identifier: int | None, everything: bool) -> str:
    if (identifier is None) != everything:
        raise click.UsageError("Give the ID of one dead letter, or --all.")
    return "dead-letters" if everything else f"dead-letters/{identifier}"


def _told(answer: dict[str, Any], as_json: bool, done: list[int | None], what: str) -> int:
    """The exit status: 1 where something was refused."""
    refused = answer.get("refused", [])
    if as_json:
        say_json(answer)
    else:
        click.echo(f"{len(done)} {what}.")
        say(f"{each['id']} refused: {one_line(each['message'])}" for each in refused)
    return 1 if refused else 0
