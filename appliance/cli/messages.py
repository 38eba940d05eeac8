"""`appliance send` and `appliance orphans`: messages by hand, and messages to nobody's number."""

import asyncio
from typing import Any

import click

from appliance.cli.client import Api, talk
from appliance.cli.render import moment, one_line, say, say_json, table
from appliance.cli.session import Command, Session, account_option, json_option, pass_session

PATIENCE = 10.0  # seconds to wait for Twilio's word
PAUSE = 0.25
MOST = 500  # rows; the most that the API gives at once
# Where a message may still be found moving; anything else is its end, or as good as sent.
UNDER_WAY = {"ready", "sending"}
NOT_WELL = {"failed", "parked", "suppressed", "doubt"}


@click.command(cls=Command)
@click.option("--from", "sender", metavar="ADDRESS", required=True, help="A channel of ours.")
@click.option("--to", "recipient", metavar="ADDRESS", required=True, help="The customer.")
@account_option
@click.option("--idempotency-key", metavar="KEY", help="A second call with the same key sends nothing more.")
@click.argument("text")
@json_option
@pass_session
@click.pass_context
def send(
    ctx: click.Context,
    session: Session,
    sender: str,
    recipient: str,
    account: str | None,
    idempotency_key: str | None,
    text: str,
    as_json: bool,
) -> None:
    """Send a customer a message. Exit status 1: Twilio or a rule refused it, or nobody knows."""
    body = {"from": sender, "to": recipient, "body": text, "idempotency_key": idempotency_key, "account": account}

    async def create(api: Api) -> dict[str, Any]:
        message = await api.post("messages", **body)
        return await _followed(api, message, recipient) if api.running else message

    message = talk(session.config(), create)
    if as_json:
        say_json(message)
    else:
        reason = "it leaves when the appliance runs" if message["state"] == "ready" else message.get("reason")
        why = f" ({one_line(reason)})" if reason else ""
        click.echo(f"Message {message['id']}: {one_line(message['state'])}{why}")
    ctx.exit(1 if message["state"] in NOT_WELL else 0)


async def _followed(api: Api, message: dict[str, Any], contact: str) -> dict[str, Any]:
    """The message when it has left, or as it is when patience ends."""
    give_up = asyncio.get_running_loop().time() + PATIENCE
    while message["state"] in UNDER_WAY and asyncio.get_running_loop().time() < give_up:
        await asyncio.sleep(PAUSE)
        answer = await api.get("messages", contact=contact)
        ours = (each for each in answer["messages"] if each["direction"] == "outbound")
        found = next((each for each in ours if each["reply_id"] == message["id"]), None)
        if found is not None:
            message |= {"state": found["disposition"], "reason": found["reason"], "sid": found["sid"]}
    return message


@click.command(cls=Command)
@json_option
@pass_session
def orphans(session: Session, as_json: bool) -> None:
    """List messages to a number that belongs to no organization. They are never answered."""
    answer = talk(session.config(), lambda api: api.get("orphans", limit=MOST))
    if as_json:
        say_json(answer)
    elif answer["orphans"]:
        rows = ([moment(each["at"]), each["from"], each["to"], each["body"]] for each in answer["orphans"])
        say(table(["RECEIVED", "FROM", "TO", "TEXT"], rows))
    else:
        click.echo("No orphaned messages.")
