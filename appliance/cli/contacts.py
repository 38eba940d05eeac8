"""`appliance contacts`: addresses that are one person."""

from typing import Any

import click

from appliance.cli.client import talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.session import Group, Session, json_option, org_option, pass_session


@click.group(cls=Group)
def contacts() -> None:
    """Customers who have several addresses."""


@contacts.command()
@click.argument("address")
@click.argument("other")
@org_option
@json_option
@pass_session
def link(session: Session, address: str, other: str, org: str | None, as_json: bool) -> None:
    """Say that two addresses are one person: who is silent for one is silent for the other."""
    answer = talk(
        session.config(), lambda api: api.post("contacts/link", organization=org, address=address, other=other)
    )
    _tell(answer, as_json, address, other, "are one person")


@contacts.command()
@click.argument("address")
@click.argument("other")
@org_option
@json_option
@pass_session
def unlink(session: Session, address: str, other: str, org: str | None, as_json: bool) -> None:
    """Say that two addresses are two people after all, whatever joined them."""
    answer = talk(
        session.config(), lambda api: api.post("contacts/unlink", organization=org, address=address, other=other)
    )
    _tell(answer, as_json, address, other, "are not linked any more")


def _tell(answer: Any, as_json: bool, address: str, other: str, what: str) -> None:
    if as_json:
        say_json(answer)
    else:
        click.echo(f"{one_line(address)} and {one_line(other)} {what}.")


@contacts.command("list")
@click.argument("address")
@org_option
@json_option
@pass_session
def list_(session: Session, address: str, org: str | None, as_json: bool) -> None:
    """List the addresses of one person, and what says that they are."""
    answer = talk(session.config(), lambda api: api.get("contacts/links", address=address, organization=org))
    if as_json:
        say_json(answer)
        return
    rows = [
        [each["id"], each["address"], each["channel"], known["address"], moment(known["at"]), known["evidence"]]
        for each in answer["contacts"]
        for known in each["links"] or [{"address": "", "at": None, "evidence": ""}]
    ]
    say(table(["ID", "ADDRESS", "CHANNEL", "LINKED WITH", "SINCE", "EVIDENCE"], rows))
