"""`appliance resume`: a customer who is with a person is the appliance's again."""

import asyncio
from typing import Any
from urllib.parse import quote

import click

from appliance.cli.client import Api, talk
from appliance.cli.render import say_json
from appliance.cli.session import Command, Session, json_option, org_option, pass_session

PATIENCE = 10.0  # seconds to wait for Twilio's log
PAUSE = 0.25
MAX_ADDRESS = 200  # characters


@click.command(cls=Command)
@click.option("--conversation", metavar="ID|ADDRESS", required=True, help="The conversation, or its customer.")
@org_option
@json_option
@pass_session
@click.pass_context
def resume(ctx: click.Context, session: Session, conversation: str, org: str | None, as_json: bool) -> None:
    """Answer a customer again who is with a person. Exit status 1: it waits until Twilio's log was read.

    What nobody has answered in the meantime is answered where it is young enough (twilio.catch_up_answer_within).
    """
    if not conversation.strip(". ") or len(conversation) > MAX_ADDRESS:
        raise click.BadParameter("It must be a conversation's number or its customer's address.", ctx)
    path = f"conversations/{quote(conversation, safe='')}/resume" + (
        f"?organization={quote(org, safe='')}" if org else ""
    )
    answer = talk(session.config(), lambda api: _followed(api, path))
    if as_json:
        say_json(answer)
    elif answer["state"] == "automatic":
        click.echo(f"Conversation {answer['id']}: the appliance answers.")
    else:
        why = "Twilio's log is read first" if answer["running"] else "it happens when the appliance runs"
        click.echo(f"Conversation {answer['id']}: waiting ({why})")
    ctx.exit(0 if answer["state"] == "automatic" else 1)


async def _followed(api: Api, path: str) -> dict[str, Any]:
    """Asking once more changes nothing and tells how far it is."""
    give_up = asyncio.get_running_loop().time() + PATIENCE
    answer: dict[str, Any] = await api.post(path)
    while api.running and answer["state"] == "waiting" and asyncio.get_running_loop().time() < give_up:
        await asyncio.sleep(PAUSE)
        answer = await api.post(path)
    return answer | {"running": api.running}
