"""`appliance channel`: an organization's addresses at Twilio."""

import click

from appliance.cli.client import talk
from appliance.cli.render import one_line, say, say_json, table
from appliance.cli.session import Group, Session, account_option, json_option, org_option, pass_session


@click.group(cls=Group)
def channel() -> None:
    """Channels: the addresses at Twilio that customers write to."""


@channel.command()
@click.argument("address")
@org_option
@account_option
@json_option
@pass_session
def add(session: Session, address: str, org: str | None, account: str | None, as_json: bool) -> None:
    """Add an address: +55… for SMS, whatsapp:+55… for WhatsApp."""
    wanted = {"organization": org, "address": address, "account": account}
    answer = talk(session.config(), lambda api: api.post("channels", **wanted))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Added {one_line(address)}.")


@channel.command()
@click.argument("address")
@click.option("--account", metavar="NAME", required=True, help="The account that it belongs to from now on.")
@click.option(
    "--from", "source", metavar="NAME", help="The account that it belonged to, where several have the address."
)
@click.option("--park", is_flag=True, help="What may have been sent or not is left to you, as a dead letter.")
@json_option
@pass_session
def move(session: Session, address: str, account: str, source: str | None, park: bool, as_json: bool) -> None:
    """Move an address to another account at Twilio, with its customers and conversations.

    Nothing of it may be in doubt: only the old account's log can tell what was sent.
    """
    wanted = {"address": address, "account": account, "from": source, "park": park}
    answer = talk(session.config(), lambda api: api.post("channels/move", **wanted))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Moved {one_line(address)} to {one_line(account)}.")


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
                ["ID", "ADDRESS", "ACCOUNT", "ORGANIZATION"],
                ([each["id"], each["address"], each["account"], each["organization"]] for each in answer["channels"]),
            )
        )
