"""What a person said from elsewhere during a pause: Twilio's log tells before anybody who waited is answered.

It is read at each pass of the catch-up anyway; here once more for each channel at the end of a pause, as somebody may
have answered from Twilio's console in its last minutes.
"""

import asyncio
from dataclasses import dataclass

from appliance.config import Config
from appliance.inbox.overheard import Overheard
from appliance.ports import Accounts, Clock, LogUnavailableError
from appliance.reply.case import Case
from appliance.store import Store


@dataclass(frozen=True, slots=True)
class Unheard:
    """The channel whose log must be read first, and when the pause was over (ms UTC)."""

    channel_id: int
    account: str
    ended: int


class Listening:
    """Kept in memory: a restart reads once more."""

    def __init__(self, store: Store, accounts: Accounts, config: Config, clock: Clock) -> None:
        self._store = store
        self._overheard = Overheard(store, accounts, config)
        self._config = config
        self._clock = clock
        self._heard: dict[int, int] = {}  # up to when, by channel
        self._lock = asyncio.Lock()

    def unheard(self, case: Case, account: str, ended: int) -> Unheard | None:
        """None where the answer may be made: nothing of this waited for the end of a pause, or the log has told."""
        channel_id = case.conversation.channel_id
        if not self._config.twilio.catch_up_every or self._heard.get(channel_id, 0) >= ended:
            return None
        waited = any(message.received_at < ended for message in case.messages)
        return Unheard(channel_id, account, ended) if waited else None

    async def listen(self, to: Unheard) -> bool:
        """False where the log cannot be read, and must be asked again; not for long, as the customers wait."""
        async with self._lock:
            if self._heard.get(to.channel_id, 0) >= to.ended:
                return True
            now = self._clock.now()
            channels = await self._store.read(lambda tx: tx.channels.enabled(to.account))
            try:
                for channel, since, _ in channels:
                    if channel.id == to.channel_id:
                        await self._overheard.listen(channel, since, now)
            except LogUnavailableError:
                if now - to.ended < self._config.ai.deadline // 2:
                    return False
            self._heard[to.channel_id] = max(now, to.ended)
            return True
