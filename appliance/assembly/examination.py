"""`check --online`, asked for in the process that serves."""

import sys

from appliance.assembly.instruments import instruments
from appliance.config import Config
from appliance.diagnosis import examination
from appliance.diagnosis.box import Facts
from appliance.diagnosis.finding import Finding
from appliance.diagnosis.probe import Desk
from appliance.store import Store, Tx


async def examine(config: Config, store: Store, desk: Desk) -> list[Finding]:
    """All that is asked outside. The database itself is not looked through: that takes long, and it is in use."""

    def look(tx: Tx) -> Facts:
        channels = [(each.address, each.account) for each in tx.channels.in_use(sys.maxsize)]
        every = tx.organizations.page_of_the_box(limit=sys.maxsize)
        return Facts(store.path, [], channels, {each.name: len(tx.knowledge.of(each.id)) for each in every})

    facts = await store.read(look)
    async with instruments(config) as made:
        return await examination.examine(config, facts, made, desk)
