"""process_ai_response: answer all live messages of a conversation with one outbox row.

The answer and the friendly text compete for the messages: whoever sets `messages.reply_id` first has them. Any failure,
however deep, ends in the friendly text; the job then rests in the dead letters.
"""

from collections.abc import Callable

from appliance.clock import milliseconds
from appliance.config import Config
from appliance.model import SECOND, Job
from appliance.ports import Clock, Permanent, Responder, Retryable
from appliance.queue.circuit import Circuits
from appliance.queue.outage import Outage
from appliance.queue.outcome import Dead, Done, Outcome, Retry, Snooze, backoff
from appliance.reply.answer import abandon, answer, apologise, apology
from appliance.reply.case import Case, load
from appliance.reply.rules import readable, without_responder
from appliance.store import Store, Tx

LONGEST_CALL = 30 * SECOND  # of the deadline, so that a hung call leaves time for a second one


class ReplyHandler:
    def __init__(
        self,
        *,
        store: Store,
        responder: Responder,
        config: Config,
        clock: Clock,
        circuits: Circuits,
        outage: Outage,
        random: Callable[[], float],
    ) -> None:
        self._store = store
        self._responder = responder
        self._config = config
        self._clock = clock
        self._breaker = circuits.get("ai")
        self._limit = circuits.get("ai-limit")
        self._outage = outage
        self._random = random

    async def run(self, job: Job) -> Outcome:
        case = await self._store.read(lambda tx: load(tx, job))
        if case is None:
            return Done()
        if job.created_at + self._config.queue.reply_max_age <= self._clock.now():
            return abandon(case, "The answer would have come too late.")
        decided = without_responder(case)
        return answer(case, decided) if decided else await self._ask(case)

    def give_up(self, job: Job, error: str) -> Outcome:
        def effects(tx: Tx) -> None:
            case = load(tx, job)
            if case is not None:
                apologise(tx, case, error)

        return Dead(error, effects)

    async def _ask(self, case: Case) -> Outcome:
        left = self._time_left(case.job)
        if left <= 0:
            return apology(case, "no answer within the deadline")
        if (wait := self._parked()) is not None:
            return wait if wait.at < self._clock.now() + left else apology(case, wait.reason)
        if not self._breaker.try_enter(milliseconds(self._clock)):
            self._limit.abandon()
            return apology(case, "the AI provider is failing")
        try:
            reply = await self._responder.respond(readable(case), min(left, LONGEST_CALL) / SECOND)
        except Permanent as error:
            return apology(case, str(error))
        except Retryable as error:
            return await self._failed(case, error)
        finally:
            self._breaker.abandon()
            self._limit.abandon()
        self._breaker.succeeded()
        self._limit.succeeded()
        return answer(case, reply)

    def _time_left(self, job: Job) -> int:
        return self._config.ai.deadline if job.deadline_at is None else job.deadline_at - self._clock.now()

    def _parked(self) -> Snooze | None:
        """The provider told us to wait: nobody's attempt is burnt, one job at a time asks again."""
        now = milliseconds(self._clock)
        until = self._limit.open_until(now)
        if until is None or self._limit.try_enter(now):
            return None
        return Snooze(self._clock.now() + max(until - now, SECOND // 2), "the AI provider asked us to wait")

    async def _failed(self, case: Case, error: Retryable) -> Outcome:
        now = self._clock.now()
        if error.unreachable and await self._outage.is_total():
            return Snooze(now, "no way out of the box")
        if error.retry_after is not None:
            self._limit.parked(milliseconds(self._clock), int(error.retry_after * SECOND))
            return Snooze(now, str(error))
        self._breaker.failed(milliseconds(self._clock))
        if case.job.attempts >= self._config.queue.max_attempts:
            return apology(case, str(error))
        deadline = now + self._time_left(case.job)
        return Retry(min(now + backoff(case.job.attempts, self._random), deadline), str(error))
