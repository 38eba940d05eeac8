"""What `check --online` looks at the world outside with."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import import_module

from appliance.assembly.adapters import credentials, model_of
from appliance.clock import SystemClock
from appliance.config import Config
from appliance.diagnosis.examination import Instruments
from appliance.model import SECOND


@contextlib.asynccontextmanager
async def instruments(config: Config) -> AsyncIterator[Instruments]:
    """What looks at the world outside, until the context ends; beside an appliance that runs it has its own."""
    module, clock = await asyncio.to_thread(import_module, "appliance.twilio.console"), SystemClock()
    consoles = {
        account.name: module.TwilioConsole(
            account_sid=account.account_sid,
            key_sid=account.api_key_sid,
            credentials=credentials(account, config),
            api_url=account.api_url,
            timeout=config.twilio.timeout / SECOND,
            clock=clock,
        )
        for account in config.accounts
    }
    made = Instruments(consoles, model_of(config), clock)
    try:
        yield made
    finally:
        await made.close()
