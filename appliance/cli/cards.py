"""`appliance cards`: what needs the owner, and putting it away when it was seen."""

from collections.abc import Iterator
from typing import Any

import click

from appliance.cli.client import talk
from appliance.cli.render import moment, one_line, say, say_json
from appliance.cli.session import Group, Session, json_option, org_option, pass_session


@click.group(cls=Group)
def cards() -> None:
    """What needs the owner: see it, put it away."""


@cards.command("list")
@org_option
@json_option
@pass_session
def list_(session: Session, org: str | None, as_json: bool) -> None:
    """List what is open, newest first: what happened, what happens by itself, and what to do."""
    answer = talk(session.config(), lambda api: api.get("cards", organization=org), makes=False)
    if as_json:
        say_json(answer)
    elif answer["cards"]:
        say(line for card in answer["cards"] for line in _told(card))
    else:
        click.echo("Nothing needs a look.")


def _told(card: dict[str, Any]) -> Iterator[str]:
    often = f", {card['times']} times" if card["times"] > 1 else ""
    yield f"{card['id']}  {one_line(card['title'])} (since {moment(card['opened_at'])}{often})"
    parts = {"": card["text"], "By itself: ": card["itself"], "To do: ": card["todo"]}
    yield from (f"    {title}{one_line(text)}" for title, text in parts.items() if text)


@cards.command()
@click.argument("identifier", metavar="ID", type=click.IntRange(1, 10**18 - 1))
@click.option("--reason", metavar="TEXT", required=True, help="Why; it is kept with the card.")
@json_option
@pass_session
def dismiss(session: Session, identifier: int, reason: str, as_json: bool) -> None:
    """Put a card away. Exit status 1: refused, as where it lasts as long as its trouble."""
    talk(session.config(), lambda api: api.post(f"cards/{identifier}/dismiss", reason=reason))
    if as_json:
        say_json({"id": identifier})
    else:
        click.echo(f"{identifier} put away.")
