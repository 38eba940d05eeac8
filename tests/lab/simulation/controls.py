"""Negative controls: the product with one guard taken away. A laboratory that does not notice proves nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from appliance.outbox import permission
from appliance.outbox.send import SendHandler
from appliance.store.organizations import Channels
from tests.lab.simulation import ports
from tests.support import breakages, doubts
from tests.support.breakages import Patch


@dataclass(frozen=True, slots=True)
class Control:
    """`apply` breaks the product; `because`: how a problem must begin that one of the failures names. Without it a control
    that has grown stale and only raises errors would count as caught.
    """

    name: str
    because: str
    apply: Callable[[Patch], None]
    scenarios: tuple[str, ...]  # names, or beginnings of names, where it should show
    schema: Callable[[str], str] = str


def _select_then_insert(patch: Patch) -> None:
    breakages.insert_always(patch)
    breakages.looked_up_first(patch)


def _without_unique_sid(sql: str) -> str:
    broken = breakages.without_unique_sid(sql)
    assert broken != sql or "CREATE TABLE messages" not in sql
    return broken


def _checks_outside(patch: Patch) -> None:
    """Consent and the rest are looked at in a unit of work of their own, half a second before."""

    async def run(self: Any, job: Any) -> Any:
        row = await self._store.read(lambda tx: tx.outbox.get(job.payload["outbox"]))
        refusal = await self._store.read(lambda tx: forbidden(tx, row, self._config))
        await asyncio.sleep(0.5)
        with patch.context() as inner:
            inner.setattr(permission, "forbidden", lambda *_: refusal)
            return await whole(self, job)

    forbidden, whole = permission.forbidden, SendHandler.run
    patch.setattr(SendHandler, "run", run)


def _watermark_at_the_end(patch: Patch) -> None:
    def read_up_to(self: Any, channel_id: int, _watermark: int) -> None:
        whole(self, channel_id, self._sql.now)

    whole = Channels.read_up_to
    patch.setattr(Channels, "read_up_to", read_up_to)


def _exact_to(patch: Patch) -> None:
    doubts.exact_to(patch)
    patch.setattr(ports, "forms", lambda address: (address,))


_rescue_by_time = partial(breakages.rescue_by_time, after=8_000)

UNSTORED = r"lost: \w+ heard 200 and is not stored"
STORED_TWICE = r"twice: \w+ is stored 2 times"
SENT_TWICE = r"twice: 2 messages (in Twilio's ledger for 1|to \S+, who wrote 1)"
ANSWERED_TWICE = r"twice: \S+ #1 was answered 2 times"
FORGOTTEN = r"lost: row \d+ is '\w*' although Twilio said"
TOO_LATE = r"unexpected: row \d+ was sent \d+ ms after \w+ said STOP"
AT_ONCE = r"unexpected: job \d+ \(process_ai_response\) runs twice at once"
AFTER_A_PERSON = r"unexpected: \w+ was sent although a person had answered"
LEFT_ALONE = r"lost: \w+ was left alone \(answered elsewhere\)"
INTO_AN_INCIDENT = r"unexpected: \S+ was POSTed \d+ ms after \S+ had ended in doubt"
MISSED = r"lost: \w+ is not stored"
CONTROLS = (
    Control("acknowledge before commit", UNSTORED, breakages.acknowledge_before_commit, ("accept normal",)),
    Control("SELECT-then-INSERT", STORED_TWICE, _select_then_insert, ("hook doubled",), _without_unique_sid),
    Control(
        "no unique sid", STORED_TWICE, breakages.insert_always, ("hook doubled", "hook again"), _without_unique_sid
    ),
    Control("blind retry on timeout", SENT_TWICE, breakages.blind_retry, ("timeout_after",)),
    Control("doubt resent on a timer", SENT_TWICE, doubts.resent_on_a_timer, ("reset_after lost",)),
    Control("`sending` not committed before the POST", SENT_TWICE, breakages.sending_not_committed, ("accept lost",)),
    Control("callback ignored", FORGOTTEN, breakages.callback_ignored, ("accept normal",)),
    Control("checks outside the `sending` unit", TOO_LATE, _checks_outside, ("stop at the last moment",)),
    Control("rescue by time", AT_ONCE, _rescue_by_time, ("model slow",)),
    Control("watermark moved to the end of a pass", MISSED, _watermark_at_the_end, ("hook lost",)),
    Control(
        "savepoint rollback that ignores in_transaction", UNSTORED, breakages.naive_rollback, ("disk nearly full",)
    ),
    Control("result written without WHERE state='sending'", FORGOTTEN, breakages.whatever_the_state, ("accept early",)),
    Control("restored outbox sent at once", ANSWERED_TWICE, breakages.restored_outbox_trusted, ("restored",)),
    Control(
        "evidence from the last attempt only",
        SENT_TWICE,
        doubts.evidence_of_the_last_attempt_only,
        ("listed after the second attempt",),
    ),
    Control("absence after one read", SENT_TWICE, doubts.absent_after_one_read, ("late ",)),
    Control("no read directly before the POST", SENT_TWICE, doubts.not_read_before_the_post, ("absent, then a pause",)),
    Control("exact To", SENT_TWICE, _exact_to, ("listed in another form",)),
    Control(
        "message of ours taken for a person's",
        LEFT_ALONE,
        doubts.ours_taken_for_a_persons,
        ("listed with another body",),
    ),
    Control(
        "superseded although a person answered",
        AFTER_A_PERSON,
        doubts.superseded_although_a_person_answered,
        ("unreadable reset_before",),
    ),
    Control(
        "opt-out not seen by another address", TOO_LATE, breakages.consent_by_address, ("stop by the other, normal",)
    ),
    Control("log read for one address alone", SENT_TWICE, doubts.read_for_one_address, ("under the other",)),
    Control(
        "circuit closed at a restart",
        INTO_AN_INCIDENT,
        doubts.circuit_closed_at_a_restart,
        ("a doubt, then a restart",),
    ),
)
