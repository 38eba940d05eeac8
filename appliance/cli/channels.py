"""`appliance channel`: an organization's addresses at Twilio."""

import click

from appliance.cli.client import talk
from appliance.cli.render import one_line, say, say_json, table
from appliance.cli.session import Group, Session, json_option, org_option, pass_session


@click.group(cls=Group)
def channel() -> None:
    """Channels: the addresses at Twilio that customers write to."""


@channel.command()
@click.argument("address")
@org_option
@json_option
@pass_session
def add(session: Session, address: str, org: str | None, as_json: bool) -> None:
    """Add an address: +55… for SMS, whatsapp:+55… for WhatsApp."""
    answer = talk(session.config(), lambda api: api.post("channels", organization=org, address=address))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Added {one_line(address)}.")


@channel.command("list")
@json_option
@pass_session
def list_(session: Session, as_json: bool) -> None:
    """List the channels."""
    answer = talk(session.config(), lambda api: api.get("channels"))
    if as_json:
        say_json(answer)
    elif not answer["channels"]:
        click.echo("No channels yet: appliance channel add --help")
    else:
        say(
            table(
                ["ID", "ADDRESS", "ORGANIZATION"],
                ([each["id"], each["address"], each["organization"]] for each in answer["channels"]),
            )
        )
