"""All that is asked outside, at once: Twilio for each account and its channels, the way in, the model, the copies."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from appliance.config import Config
from appliance.diagnosis.account import of_account
from appliance.diagnosis.backup import of_backups
from appliance.diagnosis.box import Facts, cannot_be_called
from appliance.diagnosis.finding import Finding, Kind, found
from appliance.diagnosis.model import of_model
from appliance.diagnosis.probe import Desk, of_the_way_in
from appliance.diagnosis.webhook import Repair, Report, of_channels
from appliance.ports import Clock, Console, ConsoleError, Model


@dataclass(frozen=True, slots=True)
class Instruments:
    """By account; `model` None: the FAQ answers. Whoever made them closes them."""

    consoles: Mapping[str, Console]
    model: Model | None
    clock: Clock

    async def close(self) -> None:
        for console in self.consoles.values():
            await console.close()
        if self.model is not None:
            await self.model.close()


async def examine(config: Config, facts: Facts, instruments: Instruments, desk: Desk | None) -> list[Finding]:
    """It sends no message, stores none and changes nothing."""
    accounts = asyncio.gather(*(_account(config, name, facts, instruments) for name in instruments.consoles))
    topics = sum(facts.topics.values())
    directory, now = config.storage.directory, instruments.clock.now()
    told, way_in, model, copies = await asyncio.gather(
        accounts,
        of_the_way_in(config, desk),
        of_model(config, instruments.model, topics),
        asyncio.to_thread(of_backups, directory, now),
    )
    return [*(each for findings in told for each in findings), way_in, model, copies]


async def _account(config: Config, name: str, facts: Facts, instruments: Instruments) -> list[Finding]:
    account = next(each for each in config.accounts if each.name == name)
    console, channels = instruments.consoles[name], channels_of(facts, name)
    findings = await of_account(account, console, channels)
    if any(each.kind in (Kind.LOGIN_REFUSED, Kind.UNREACHABLE) for each in findings):
        return findings  # once is enough
    return findings + (await of_channels(account, console, channels, config)).findings


async def repairs(config: Config, facts: Facts, instruments: Instruments) -> list[Repair]:
    """What would make the webhooks well; nothing where they could not be called anyway."""
    if cannot_be_called(config):
        return []
    reports: list[Report] = []
    for account in config.accounts:
        console = instruments.consoles[account.name]
        reports.append(await of_channels(account, console, channels_of(facts, account.name), config))
    return [each for report in reports for each in report.repairs]


async def repair(wish: Repair, instruments: Instruments) -> list[Finding]:
    """A finding where Twilio does not take it."""
    try:
        await instruments.consoles[wish.account].set(wish.after)
    except ConsoleError as error:
        return [found(Kind.WEBHOOK_NOT_SET, name=wish.after.name, reason=str(error), url=wish.after.url)]
    return []


def channels_of(facts: Facts, account: str) -> list[str]:
    return [address for address, whose in facts.channels if whose == account]
