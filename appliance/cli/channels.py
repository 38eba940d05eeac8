"""`appliance channel`: an organization's addresses at Twilio."""

from urllib.parse import quote

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
@account_option
@click.option("--force", is_flag=True, help="Also while conversations are open; what waits becomes dead letters.")
@json_option
@pass_session
def remove(session: Session, address: str, account: str | None, force: bool, as_json: bool) -> None:
    """Remove an address. Its messages are kept; what is written to it from now on is an orphan.

    Refused while conversations are open. To add it again to the same organization brings its history back.
    """
    path = f"channels/{quote(address, safe='')}"
    answer = talk(session.config(), lambda api: api.delete(path, force=int(force), account=account))
    if as_json:
        say_json(answer)
        return
    click.echo(f"Removed {one_line(address)}.")
    if any(answer[name] for name in ("conversations", "messages", "replies")):
        closed, dead = answer["conversations"], answer["messages"] + answer["replies"]
        click.echo(f"Conversations closed: {closed}. Messages and replies among the dead letters: {dead}.")
    if answer["persons"]:
        click.echo(f"Still waiting for a person: {', '.join(map(one_line, answer['persons']))}")


READ = "The old account's log was read: what had not reached this box came in."
UNREAD = "The old account's log was not read: a card says what is not known."


@channel.command()
@click.argument("address")
@click.option("--account", metavar="NAME", required=True, help="The account that it belongs to from now on.")
@click.option(
    "--from", "source", metavar="NAME", help="The account that it belonged to, where several have the address."
)
@click.option("--park", is_flag=True, help="What nobody can know without the old account's log is left to you.")
@json_option
@pass_session
def move(session: Session, address: str, account: str, source: str | None, park: bool, as_json: bool) -> None:
    """Move an address to another account at Twilio, with its customers and conversations.

    First the old account's log is read, and what did not reach this box comes in. Nothing may be in doubt: only that
    log can tell what was sent. Where the box does not run, what came in is answered at its next start.
    """
    wanted = {"address": address, "account": account, "from": source, "park": park}
    answer = talk(session.config(), lambda api: api.post("channels/move", **wanted))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Moved {one_line(address)} to {one_line(account)}.")
        click.echo(READ if answer["read"] else UNREAD)


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
