"""Who is asked for words, and whether it may be asked now: responder, breaker, limit, outage probe as one door."""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.clock import milliseconds
from appliance.links.link import Link
from appliance.model import SECOND
from appliance.ports import Clock, Dialogue, Permanent, Reply, Responder, Retryable
from appliance.queue.circuit import AI, AI_LIMIT, Circuits
from appliance.queue.outage import Outage
from appliance.queue.outcome import backoff
from appliance.wire import Fault, Trouble

MOST_PAID = 2  # calls for one message that are answered with what cannot be used
ASKED_TO_WAIT = "the AI provider asked us to wait"
LONGEST_CALL = 30 * SECOND  # of the deadline, so that a hung call leaves time for a second one
LEAST_CALL = SECOND  # that a last try is worth


@dataclass(frozen=True, slots=True)
class Wait:
    """Ask again at a time (ms UTC). `failed`: it was asked in vain, so the attempt counts. `is_providers`: as below."""

    at: int
    reason: str
    failed: bool = False
    is_providers: bool = True


@dataclass(frozen=True, slots=True)
class Unavailable:
    """Nothing will come of it in time. `reason` is safe for cards.

    `is_providers`: it is no fault of the message, so it is told once for all. `for_all`: nobody is answered until the
    owner does something.
    """

    reason: str
    for_all: bool = False
    is_providers: bool = False


class Provider:
    def __init__(
        self,
        responder: Responder,
        circuits: Circuits,
        outage: Outage,
        link: Link,
        clock: Clock,
        random: Callable[[], float],
        max_attempts: int,
    ) -> None:
        self._responder = responder
        self._breaker = circuits.get(AI)  # it fails: its customers get the friendly text at once
        self._limit = circuits.get(AI_LIMIT)  # it asked to be left alone: its customers wait
        self._outage = outage
        self._link = link
        self._clock = clock
        self._random = random
        self._max_attempts = max_attempts

    async def ask(self, dialogue: Dialogue, *, deadline: int, attempt: int) -> Reply | Wait | Unavailable:
        """`deadline`: when the customer must have something, ms UTC. `attempt`: the how manieth this is, from 1."""
        left = deadline - self._clock.now()
        if left <= 0:
            return Unavailable("no answer within the deadline", is_providers=True)
        now = milliseconds(self._clock)
        if (until := self._limit.open_until(now)) is not None and not self._limit.try_enter(now):
            # Nobody's attempt is burnt, one job at a time asks again.
            wait = Wait(self._clock.now() + max(until - now, SECOND // 2), ASKED_TO_WAIT)
            return wait if wait.at < deadline else Unavailable(ASKED_TO_WAIT, is_providers=True)
        if not self._breaker.try_enter(now):
            self._limit.abandon()
            return Unavailable(self._link.why or "it does not answer", is_providers=True)
        try:
            reply = await self._responder.respond(dialogue, min(left, LONGEST_CALL) / SECOND)
        except Permanent as error:  # the message's own, or the owner's: neither breaker nor limit
            self._link.heard(Trouble(Fault.REFUSES, str(error)) if error.for_all else None, self._clock.now())
            return Unavailable(str(error), for_all=error.for_all, is_providers=error.for_all)
        except Retryable as error:
            return await self._failed(error, deadline, attempt)
        finally:
            self._breaker.abandon()
            self._limit.abandon()
        self._breaker.succeeded()
        self._limit.succeeded()
        self._link.heard(None, self._clock.now())
        return reply

    async def _failed(self, error: Retryable, deadline: int, attempt: int) -> Wait | Unavailable:
        now = self._clock.now()
        if not error.is_paid and error.retry_after is None:
            self._link.heard(error.trouble or Trouble(Fault.SERVER, str(error)), now)
        if error.unreachable and await self._outage.is_total():
            return Wait(now, "no way out of the box")
        if error.retry_after is not None:
            self._limit.parked(milliseconds(self._clock), int(error.retry_after * SECOND))
            return Wait(now, str(error))
        # One message that a server stumbles over, tried again and again, says nothing about the others'.
        if attempt == 1 or self._breaker.open_until(milliseconds(self._clock)) is not None:
            self._breaker.failed(milliseconds(self._clock))
        at = min(now + backoff(attempt, self._random), deadline)
        # What was paid for is the message's own fault, also where no time is left for its last try.
        if attempt >= self._max_attempts or (error.is_paid and (attempt >= MOST_PAID or at + LEAST_CALL > deadline)):
            return Unavailable(str(error), is_providers=not error.is_paid)
        return Wait(at, str(error), failed=True, is_providers=not error.is_paid)
