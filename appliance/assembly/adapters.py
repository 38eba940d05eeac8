"""The concrete adapters: who sends for each account and reads its log, who answers, what is heard of the links."""

import asyncio
from dataclasses import dataclass, field
from importlib import import_module

from appliance.config import Account, Config
from appliance.links import link
from appliance.links.link import Links
from appliance.metrics import Metrics
from appliance.model import SECOND
from appliance.operations.knowledge import Offline
from appliance.ports import Accounts, Clock, Responder, TwilioAccount
from appliance.responder.faq import Faq
from appliance.responder.llm import Llm
from appliance.wire import STATUS_PATH, Trouble, TwilioMessageResult


@dataclass(frozen=True, slots=True)
class Adapters:
    """What is swapped at the edges. `offline`: can say without a network why it would answer what."""

    accounts: Accounts
    responder: Responder
    offline: Offline = field(default_factory=Faq)
    links: Links = field(default_factory=Links)


def make_responder(config: Config, metrics: Metrics | None = None) -> Responder:
    return model_of(config, metrics) or Faq()


def model_of(config: Config, metrics: Metrics | None = None) -> Llm | None:
    ai = config.ai
    if ai.provider == "faq":
        return None
    assert ai.base_url is not None
    assert ai.model is not None
    return Llm(
        ai.base_url,
        ai.api_key,
        ai.model,
        ai.max_output_tokens,
        ai.context_tokens,
        ai.reasoning_effort,
        heard=(metrics or Metrics()).called_model,
    )


async def connect(
    config: Config, clock: Clock, responder: Responder | None = None, metrics: Metrics | None = None
) -> Adapters:
    """For each account what sends and what reads its log, over the same connections; and who answers."""
    metrics = metrics or Metrics()  # nobody reads those
    # Twilio's package takes a tenth of a second or, on a small board, a whole one to import: not on the loop.
    module = await asyncio.to_thread(import_module, "appliance.twilio.sender")
    log_module = await asyncio.to_thread(import_module, "appliance.twilio.log")
    accounts, links = {}, Links()
    for account in config.accounts:

        def hear(trouble: Trouble | None, name: str = account.name) -> None:
            links.get(link.of_account(name)).heard(trouble, clock.now())
            metrics.twilio_calls.labels(name, trouble.fault.name.lower() if trouble else "answered").inc()

        def sent(result: TwilioMessageResult, name: str = account.name) -> None:
            metrics.sends.labels(name, result.outcome).inc()
            metrics.segments.inc(result.segments)

        sender = module.TwilioSender(
            account_sid=account.account_sid,
            credentials=credentials(account, config),
            api_url=account.api_url,
            status_url=config.server.public_url + STATUS_PATH,
            timeout=config.twilio.timeout / SECOND,
            messaging_service_sid=account.messaging_service_sid,
            hear=hear,
            sent=sent,
        )
        accounts[account.name] = TwilioAccount(sender, log_module.TwilioLog(sender.clients, clock, hear))
    return Adapters(accounts, responder or make_responder(config, metrics), links=links)


def credentials(asked: Account, config: Config) -> list[tuple[str, str]]:
    """User and secret, in the order they are tried; a subaccount that has none is reached with its parent's."""
    for account in (asked, *(each for each in config.accounts if each.name == asked.parent)):
        found: list[tuple[str, str]] = [(account.account_sid, token) for token in account.auth_tokens]
        if account.api_key_sid and account.api_key_secret:
            # A token opens subaccounts too; whether a key does is the key's own affair.
            found.insert(0 if account is asked else len(found), (account.api_key_sid, account.api_key_secret))
        if found:
            return found
    return []
