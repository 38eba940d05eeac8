"""Whether a link holds, by what its last calls came to. In memory alone: a start asks anew."""

from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from appliance.wire import Fault, Trouble

log = structlog.get_logger()


@dataclass(slots=True)
class Link:
    """Times in ms UTC. `since`: when the trouble began that has not ended yet; `mended_at`: when the last one ended."""

    name: str
    asked_at: int | None = None
    answered_at: int | None = None
    trouble: Trouble | None = None
    since: int = 0
    mended_at: int = 0

    @property
    def said(self) -> str:
        """Of the trouble that it is in, as the other side or the system put it."""
        return self.trouble.said if self.trouble else ""

    def heard(self, trouble: Trouble | None, now: int) -> None:
        """A call ended: in trouble, or with any answer that shows that the link holds."""
        self.asked_at = now
        was, self.trouble = self.trouble, trouble
        if trouble is None:
            self.answered_at = now
            if was is not None:
                self.mended_at = now
                log.info("link works again", link=self.name, after_seconds=max(0, now - self.since) // 1_000)
        elif was is None or was.fault != trouble.fault:
            self.since = self.since if was else now
            log.warning("link is in trouble", link=self.name, error=str(trouble))


class Links:
    """By name: an account's at Twilio is `twilio:<name>`, the provider's is `ai`."""

    def __init__(self) -> None:
        self._links: dict[str, Link] = {}

    def get(self, name: str) -> Link:
        return self._links.setdefault(name, Link(name))

    def __iter__(self) -> Iterator[Link]:
        return iter(self._links.values())


def of_account(name: str) -> str:
    return f"twilio:{name}"


AI = "ai"
NO_ANSWER = frozenset(Fault) - {Fault.CREDENTIALS, Fault.SERVER, Fault.REFUSES}  # nothing came back at all
