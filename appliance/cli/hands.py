"""`appliance conversations take` and `reply`: a person takes a customer over, or answers by hand."""

from urllib.parse import quote

import click

from appliance.cli.client import talk
from appliance.cli.render import say_json
from appliance.cli.session import Session, json_option, org_option, pass_session
from appliance.cli.threads import conversations

_named = click.argument("conversation", metavar="ID|ADDRESS")


@conversations.command()
@_named
@org_option
@json_option
@pass_session
def take(session: Session, conversation: str, org: str | None, as_json: bool) -> None:
    """Take a customer over: the assistant is silent there until `appliance resume`, or conversations.human_for."""
    answer = talk(session.config(), lambda api: api.post(_path(conversation, "take", org)))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Conversation {answer['id']}: a person answers.")


@conversations.command()
@_named
@click.argument("text")
@click.option("--key", metavar="TEXT", help="Names the intent: with the same key and text it is sent once.")
@org_option
@json_option
@pass_session
def reply(session: Session, conversation: str, text: str, key: str | None, org: str | None, as_json: bool) -> None:
    """Answer a customer by hand, which takes the customer over."""
    path, body = _path(conversation, "reply", org), {"body": text, "idempotency_key": key}
    answer = talk(session.config(), lambda api: api.post(path, **body))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"{answer['id']} is on its way; the assistant is silent there now.")


def _path(conversation: str, action: str, org: str | None) -> str:
    if not conversation.strip(". "):
        raise click.BadParameter("It must be a conversation's number or its customer's address.")
    whose = f"?organization={quote(org, safe='')}" if org else ""
    return f"conversations/{quote(conversation, safe='')}/{action}{whose}"
