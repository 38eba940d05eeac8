"""The log's lines and the figures that come of what units of work have to tell."""

from collections.abc import Mapping
from typing import Any

import structlog

from appliance.metrics import Metrics
from appliance.store.news import Event, News

FEW = 10  # signs of one trouble, each told once; an error that has a number in it is always another
OF_ONE = "job "  # how the troubles begin whose end the job's own success tells
MOST = 1_000  # of what is remembered; what is older is told, or missing, once more
log = structlog.get_logger()


class Journal:
    """Implements store.Audience. In memory alone: after a start each trouble is told anew, and nobody knows any more
    what an answer cost that was written before.
    """

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._troubles: dict[str, set[object]] = {}  # what was told of each
        self._tokens: dict[int, tuple[int, int]] = {}  # in and out, by outbox row

    def hear(self, news: News) -> None:
        for name in news.over:
            if self._troubles.pop(name, None) and not name.startswith(OF_ONE):
                log.info("trouble is over", trouble=name)
        facts = dict(news.facts)
        match news.event:
            case Event.DRAFTED if facts["tokens"]:
                self._tokens[facts["outbox"]] = facts["tokens"]
                _bound(self._tokens)
            case Event.ANSWERED:
                facts |= _named(self._tokens.get(facts.pop("outbox")))
            case Event.DOUBT:
                self._metrics.doubts.inc()
            case Event.FOLLOWED_UP:
                self._metrics.priced(facts["price"], facts["currency"] or "")
        getattr(log, self._level(news))(news.event, **facts)

    def committed(self, seconds: float) -> None:
        self._metrics.commit_time.observe(seconds)

    def _level(self, news: News) -> str:
        """A trouble is told where it begins and where it shows another cause; a further sign is a step."""
        if not news.trouble:
            return news.level
        told, cause = self._troubles.setdefault(news.trouble, set()), (news.event, news.facts.get("error"))
        _bound(self._troubles)
        if cause in told or len(told) >= FEW:
            return "debug"
        told.add(cause)
        return news.level


def _bound(remembered: dict[Any, Any]) -> None:
    if len(remembered) > MOST:
        del remembered[next(iter(remembered))]


def _named(tokens: tuple[int, int] | None) -> Mapping[str, int]:
    return {} if tokens is None else {"tokens_in": tokens[0], "tokens_out": tokens[1]}
