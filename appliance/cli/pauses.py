"""`appliance pause` and `resume`: nobody gets an automatic answer for a while; and the appliance answers again."""

import asyncio
from typing import Any
from urllib.parse import quote

import click

from appliance.cli.client import Api, talk
from appliance.cli.render import moment, say_json
from appliance.cli.session import Command, Session, json_option, org_option, pass_session

PATIENCE = 10.0  # seconds to wait for Twilio's log
PAUSE = 0.25
MAX_ADDRESS = 200  # characters
BY_HAND = "resume"

_conversation = click.option("--conversation", metavar="ID|ADDRESS", help="One conversation, or its customer.")


@click.command(cls=Command)
@_conversation
@click.option("--until", metavar="TIME", default=BY_HAND, help='Such as "18:00", "2h" or "tomorrow"; else you resume.')
@org_option
@json_option
@pass_session
def pause(session: Session, conversation: str | None, until: str, org: str | None, as_json: bool) -> None:
    """Give no automatic answer: to nobody, to no customer of an organization (--org), or in one conversation.

    Messages are kept. At the end those young enough are answered (twilio.catch_up_answer_within, at night 30 minutes),
    older ones become a card. What people write by hand is sent.
    """
    path = _path("pause", conversation, org)
    answer = talk(session.config(), lambda api: api.post(path, until=until))
    if as_json:
        say_json(answer)
    else:
        which = f" --conversation {answer['id']}" if conversation else f' --org "{org}"' if org else ""
        end = f"until {moment(answer['until'])}" if answer["until"] else f"until you say: appliance resume{which}"
        click.echo(f"Answers are paused {_where(answer)}{end}.")


@click.command(cls=Command)
@_conversation
@org_option
@json_option
@pass_session
@click.pass_context
def resume(ctx: click.Context, session: Session, conversation: str | None, org: str | None, as_json: bool) -> None:
    """Answer again after a pause: everybody, an organization's customers (--org), or one customer, also one who is with
    a person. Exit status 1: that waits until Twilio's log was read, or for the end of another pause.

    What nobody has answered in the meantime is answered where it is young enough (twilio.catch_up_answer_within).
    """
    path = _path("resume", conversation, org)
    if conversation is None:
        answer = talk(session.config(), lambda api: api.post(path))
        if as_json:
            say_json(answer)
        else:
            click.echo("The appliance answers again." if answer["ended"] else "Nothing was paused.")
            for each in answer["left"]:
                click.echo(f"Still paused {_where(each)}{moment(each['until']) or 'until somebody resumes'}.")
        ctx.exit(0)
    answer = talk(session.config(), lambda api: _followed(api, path))
    if as_json:
        say_json(answer)
    else:
        click.echo(f"Conversation {answer['id']}: {_state(answer)}")
    ctx.exit(0 if answer["state"] == "automatic" else 1)


def _path(action: str, conversation: str | None, org: str | None) -> str:
    if conversation is not None and (not conversation.strip(". ") or len(conversation) > MAX_ADDRESS):
        raise click.BadParameter("It must be a conversation's number or its customer's address.")
    path = action if conversation is None else f"conversations/{quote(conversation, safe='')}/{action}"
    return path + ("" if org is None else f"?organization={quote(org, safe='')}")


def _where(paused: dict[str, Any]) -> str:
    if paused["contact_id"] is not None:
        return f"in conversation {paused['id']} " if "id" in paused else "for a customer "
    return f"for organization {paused['organization_id']} " if paused["organization_id"] else ""


def _state(answer: dict[str, Any]) -> str:
    if answer["state"] == "automatic":
        return "the appliance answers."
    if answer["state"] == "paused":
        return "waiting (all answers are paused: appliance resume)"
    why = "Twilio's log is read first" if answer["running"] else "it happens when the appliance runs"
    return f"waiting ({why})"


async def _followed(api: Api, path: str) -> dict[str, Any]:
    """Asking once more changes nothing and tells how far it is."""
    give_up = asyncio.get_running_loop().time() + PATIENCE
    answer: dict[str, Any] = await api.post(path)
    while api.running and answer["state"] == "waiting" and asyncio.get_running_loop().time() < give_up:
        await asyncio.sleep(PAUSE)
        answer = await api.post(path)
    return answer | {"running": api.running}
