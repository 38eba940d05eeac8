"""`appliance simulate`: pretend to be a customer, at the simulator or, with --live, at the real appliance."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import click
from twilio.request_validator import RequestValidator

from appliance.cli.client import Api, beside, talk
from appliance.cli.render import one_line, say
from appliance.cli.session import Command, Session, account_option, pass_session
from appliance.config import Account, Address, Config
from appliance.config.accounts import choose
from appliance.errors import ApplianceError
from appliance.wire import MESSAGES_PATH, with_plus

PAUSE = 0.2  # seconds between two looks for the answer
LIMIT = aiohttp.ClientTimeout(total=20)
Look = Callable[[], Awaitable[str | None]]


@click.command(cls=Command)
@click.option("--from", "sender", metavar="ADDRESS", required=True, help="The customer.")
@click.option("--to", "recipient", metavar="ADDRESS", required=True, help="A channel of ours.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=30.0, show_default=True, help="Seconds to wait for the answer."
)
@account_option
@click.option("--live", is_flag=True, help="At the real appliance: its answer goes out through Twilio.")
@click.argument("text")
@pass_session
def simulate(
    session: Session, sender: str, recipient: str, account: str | None, wait: float, live: bool, text: str
) -> None:
    """Write as a customer and print the answer. Exit status 1: no answer came; why, where that is known."""
    _check_ends(sender, recipient)
    config = session.config(serving=live)
    written_to = _account(config, account, recipient)
    message = {"AccountSid": written_to.account_sid, "From": sender, "To": recipient, "Body": text}
    if live:
        answer = talk(config, lambda api: _live(api, config, written_to, message, wait))
    else:
        host = urlsplit(written_to.api_url).hostname or ""
        if host == "twilio.com" or host.endswith(".twilio.com"):
            raise ApplianceError(
                "twilio.api_url is the real Twilio, not a simulator. With --live the message goes to the real "
                "appliance, whose answer then goes out to that customer."
            )
        answer = asyncio.run(_simulated(config, written_to.api_url, message, wait))
    if answer is None:
        raise ApplianceError(f"No answer within {wait:g} s.")
    say(one_line(line) for line in answer.splitlines())


def _check_ends(sender: str, recipient: str) -> None:
    """Nobody on SMS can write to a WhatsApp number; the appliance would take it for a customer that there is not."""
    for option, address in (("--from", sender), ("--to", recipient)):
        if meant := with_plus(address):
            raise click.UsageError(f"{option} lacks the + before the country code; write {meant}.")
    theirs, ours = sender.rpartition(":")[0], recipient.rpartition(":")[0]
    if theirs != ours:
        kinds = " and ".join(f"{kind}:…" if kind else "+…" for kind in (theirs, ours))
        meant = f"{ours}:{sender.rpartition(':')[2]}".removeprefix(":")
        raise click.UsageError(f"--from and --to are of different kinds ({kinds}); write --from {meant}.")


def _account(config: Config, named: str | None, recipient: str) -> Account:
    """The one whose channel is written to. Raises RequestError."""
    names = {named} if named or len(config.accounts) == 1 else talk(config, lambda api: _owners(api, recipient))
    return choose(config, *names)


async def _owners(api: Api, address: str) -> set[str | None]:
    """The accounts that have a channel with this address; None stands for those of which nobody knows which one."""
    owners: set[str | None] = {
        each["account"] for each in (await api.get("channels"))["channels"] if each["address"] == address
    }
    return owners if len(owners) == 1 else {None}


async def _simulated(config: Config, url: str, message: dict[str, str], wait: float) -> str | None:
    account = message["AccountSid"]
    body = {"account": account, "from": message["From"], "to": message["To"], "body": message["Body"]}
    try:
        async with aiohttp.ClientSession(timeout=LIMIT, raise_for_status=True) as http, beside(config) as api:
            async with http.post(f"{url}/simulator/messages", json=body) as response:
                taken = await response.json()
            _check_taken(taken["status"])

            async def look() -> str | None:
                """What was sent to the customer after this message."""
                about = {"account": account, "contact": message["From"]}
                async with http.get(f"{url}/simulator/messages", params=about) as response:
                    entries = await response.json()
                after = [entry["sid"] for entry in entries].index(taken["sid"]) + 1
                sent = (each for each in entries[after:] if each["direction"] != "inbound")
                answer = next((str(each["body"]) for each in sent if each["from"] == message["To"]), None)
                if answer is None and api is not None:
                    await _check_silence(api, taken["sid"])
                return answer

            return await _awaited(look, wait)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ApplianceError(f"No simulator answers at {url} ({type(error).__name__}).") from error


async def _live(api: Api, config: Config, account: Account, message: dict[str, str], wait: float) -> str | None:
    form = {
        "MessageSid": f"SM{secrets.token_hex(16)}",
        "NumMedia": "0",
        "NumSegments": "1",
        **message,
    }
    signed = config.server.public_url + MESSAGES_PATH
    parent = next((each.auth_tokens for each in config.accounts if each.name == account.parent), ())
    signature = RequestValidator((account.auth_tokens + parent)[0]).compute_signature(signed, form)
    listen = config.server.listen
    # Where this machine finds what listens on every address.
    here = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listen.host, listen.host)  # noqa: S104 - compared, not bound
    url = f"http://{Address(here, listen.port)}{MESSAGES_PATH}"
    try:
        async with (
            aiohttp.ClientSession(timeout=LIMIT) as http,
            http.post(url, data=form, headers={"X-Twilio-Signature": signature}) as response,
        ):
            _check_taken(response.status)
    except (aiohttp.ClientError, TimeoutError) as error:
        raise ApplianceError(f"No appliance answers at {url}; start it with: appliance serve") from error

    async def look() -> str | None:
        messages: list[dict[str, Any]] = (await api.get("messages", contact=message["From"]))["messages"]
        reply_id = next((each["reply_id"] for each in messages if each["sid"] == form["MessageSid"]), None)
        replies = (each for each in messages if each["direction"] == "outbound" and each["sid"])
        answer = next((str(each["body"]) for each in replies if each["reply_id"] == reply_id), None)
        if answer is None:
            await _check_silence(api, form["MessageSid"])
        return answer

    return await _awaited(look, wait)


async def _check_silence(api: Api, sid: str) -> None:
    """Raises ApplianceError with the reason where no answer will come."""
    if found := (await api.get(f"messages/{sid}/silence"))["silence"]:
        raise ApplianceError(f"No answer: {found['words']}")


def _check_taken(status: int | None) -> None:
    if status is None:
        raise ApplianceError("The appliance did not answer the simulator; is it running?")
    if status != 200:
        raise ApplianceError(f"The appliance refused the message with status {status}.")


async def _awaited(look: Look, wait: float) -> str | None:
    try:
        async with asyncio.timeout(wait):
            while (answer := await look()) is None:  # noqa: ASYNC110 - what changes is in another process
                await asyncio.sleep(PAUSE)
            return answer
    except TimeoutError:
        return None
