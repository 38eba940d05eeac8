"""process_ai_response: answer all live messages of a conversation with one outbox row.

The answer and the friendly text compete for the messages: whoever sets `messages.reply_id` first has them. Any failure,
however deep, ends in the friendly text; the job then rests in the dead letters.
"""

from appliance.config import Config
from appliance.model import SECOND, Job, TextKey, account_of
from appliance.outbox.permission import loop_guard
from appliance.ports import Clock, Reply
from appliance.queue.circuit import AI
from appliance.queue.outcome import Dead, Done, Outcome, Retry, Snooze
from appliance.queue.ready import held_last
from appliance.reply.answer import abandon, answer, apologise, apology, hold_back, over
from appliance.reply.case import Case, load
from appliance.reply.held import held, put_away
from appliance.reply.listening import Listening, Unheard
from appliance.reply.machines import WHY, writes_like_a_machine
from appliance.reply.provider import Provider, Unavailable, Wait
from appliance.reply.rules import readable, without_responder
from appliance.reply.shelf import Shelves
from appliance.store import Store, Tx


class ReplyHandler:
    def __init__(
        self, store: Store, provider: Provider, shelves: Shelves, listening: Listening, config: Config, clock: Clock
    ) -> None:
        self._store = store
        self._provider = provider
        self._shelves = shelves
        self._listening = listening
        self._config = config
        self._clock = clock

    async def run(self, job: Job) -> Outcome:
        case = await self._store.read(lambda tx: self._look(tx, job))
        while isinstance(case, Unheard):
            if not await self._listening.listen(case):
                return Snooze(self._clock.now() + SECOND, "Twilio's log cannot be read", quiet=True)
            case = await self._store.read(lambda tx: self._look(tx, job))
        if not isinstance(case, Case):
            return case
        deadline = self._clock.now() + self._config.ai.deadline if job.deadline_at is None else job.deadline_at
        match await self._provider.ask(readable(case), deadline=deadline, attempt=job.attempts):
            case Reply() as reply:
                return over(answer(case, reply))
            case Wait(at=at, reason=reason, failed=failed, is_providers=is_providers):
                trouble = AI if is_providers else ""
                return Retry(at, reason, trouble) if failed else Snooze(at, reason, trouble=trouble)
            case Unavailable() as why:
                return apology(case, why)

    def _look(self, tx: Tx, job: Job) -> Case | Unheard | Outcome:
        """What is left for a responder, or how it ends without one: nobody pays for what would not be sent."""
        case = load(tx, job, self._shelves)
        if case is None:
            return Done()
        ended = held_last(tx, case.conversation, case.contact)
        unheard = self._listening.unheard(case, account_of(job.resource), ended)
        if waits := held(tx, case) or unheard or put_away(tx, case, ended, self._config):
            return waits
        if max(job.created_at, ended) + self._config.queue.reply_max_age <= tx.now:
            return abandon(case, "it waited too long")
        if decided := without_responder(case):
            return answer(case, decided)
        if writes_like_a_machine(tx, case):
            return answer(case, Reply(source=WHY, key=TextKey.HANDOFF))
        guard = loop_guard(tx, case.contact, self._config.conversations.max_replies_per_hour)
        return hold_back(case, guard) if guard else case

    def give_up(self, job: Job, error: str) -> Outcome:
        def effects(tx: Tx) -> None:
            case = load(tx, job, self._shelves)
            if case is not None:
                apologise(tx, case, Unavailable(error))

        return Dead(error, effects)
