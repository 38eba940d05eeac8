"""Whether a link holds, by what its last calls came to. In memory alone: a start asks anew."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import structlog

from appliance.wire import Fault, Trouble

TELL_AGAIN = 600_000  # ms
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
    _told: dict[Fault, int] = field(default_factory=dict)  # when each trouble was told last
    _is_told: bool = False  # the one that it is in

    @property
    def said(self) -> str:
        """Of the trouble that it is in, as the other side or the system put it."""
        return self.trouble.said if self.trouble else ""

    @property
    def why(self) -> str:
        """The trouble in words; where nothing came back at all, `said` is no more than a host's name."""
        return str(self.trouble) if self.trouble and self.trouble.fault in NO_ANSWER else self.said

    def heard(self, trouble: Trouble | None, now: int) -> None:
        """A call ended: in trouble, or with any answer that shows that the link holds."""
        self.asked_at = now
        was, self.trouble = self.trouble, trouble
        if trouble is None:
            self.answered_at = now
            if was is not None:
                self.mended_at = now
            if self._is_told:
                log.info("link works again", link=self.name, after_seconds=max(0, now - self.since) // 1_000)
            self._is_told = False
            return
        if was is None:
            self.since = now
        is_news = was is None or was.fault != trouble.fault or not self._is_told
        # A link that works for one call and not for the next would fill the log.
        if is_news and abs(now - self._told.get(trouble.fault, -TELL_AGAIN)) >= TELL_AGAIN:
            self._told[trouble.fault], self._is_told = now, True
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
