"""The rules of doubt with one of them taken away."""

from typing import Any

from appliance.config import Config
from appliance.model import OutboxMessage
from appliance.outbox import binding, consequences, delivery, settle
from appliance.outbox.evidence import Claim
from appliance.outbox.send import SendHandler
from appliance.store import Tx
from appliance.store.attempts import Attempts
from appliance.store.links import Links
from appliance.twilio import log
from appliance.twilio.log import TwilioLog
from appliance.wire import SKEW, LoggedMessage, LogRead
from tests.support import breakages
from tests.support.breakages import Patch


def broken_off_at_the_first_older_date(patch: Patch) -> None:
    whole = TwilioLog._read

    async def read(self: TwilioLog, since: int, ours: bool, **filters: Any) -> LogRead:
        """As where the list is in the order of its dates: what stands behind an older one is not looked at."""
        rows: list[LoggedMessage] = []
        logged = log._logged

        def noted(resource: Any) -> LoggedMessage:
            rows.append(logged(resource))
            return rows[-1]

        with patch.context() as inner:
            inner.setattr(log, "_logged", noted)
            found = await whole(self, since, ours, **filters)
        until = next((n for n, row in enumerate(rows) if row.created_at < since), len(rows))
        seen = {row.sid for row in rows[:until]}
        return LogRead(tuple(m for m in found.messages if m.sid in seen), found.began_at, found.offset)

    patch.setattr(TwilioLog, "_read", read)


def exact_to(patch: Patch) -> None:
    for module in (log, settle):
        patch.setattr(module, "forms", lambda address: (address,))


def read_for_one_address(patch: Patch) -> None:
    def names(self: Links, contact_id: int) -> list[str]:
        return [str(self._sql.value("SELECT address FROM contacts WHERE id = ?", contact_id))]

    patch.setattr(Links, "names", names)


def evidence_of_the_last_attempt_only(patch: Patch) -> None:
    patch.setattr(Claim, "began", property(lambda claim: claim.attempts[-1].started_at - SKEW))


def absent_after_one_read(patch: Patch) -> None:
    def proves(claim: Claim, read: LogRead, _youngest: int, _is_behind: bool, grace: int) -> bool:
        return read.began_at - claim.ended >= grace

    patch.setattr("appliance.outbox.evidence.proves", proves)


def not_read_before_the_post(patch: Patch) -> None:
    async def look(_self: SendHandler, _outbox_id: int) -> None:
        return None

    patch.setattr(SendHandler, "_look", look)


def resent_on_a_timer(patch: Patch) -> None:
    breakages.doubt_resent_on_a_timer(patch)
    not_read_before_the_post(patch)


def second_sid_filed(patch: Patch) -> None:
    whole = binding.name

    def name(tx: Tx, row: OutboxMessage, number: int, sid: str, *about: Any, **more: Any) -> None:
        if row.sid in (None, sid):
            whole(tx, row, number, sid, *about, **more)

    patch.setattr(binding, "name", name)


def ours_taken_for_a_persons(patch: Patch) -> None:
    patch.setattr(Claim, "explains", lambda *_: False)


def ours_taken_for_an_answer_given_elsewhere(patch: Patch) -> None:
    patch.setattr(Attempts, "spans_to", lambda *_: [])


def circuit_closed_at_a_restart(patch: Patch) -> None:
    patch.setattr(consequences, "of_the_past", lambda *_: None)


def parked_without_a_letter(patch: Patch) -> None:
    patch.setattr(binding, "bury", lambda *_: None)


def superseded_although_a_person_answered(patch: Patch) -> None:
    def supersede(tx: Tx, row: OutboxMessage, config: Config) -> None:
        delivery.supersede(tx, row, "a newer message reached the customer", config)

    patch.setattr(delivery, "answered_by_a_person", supersede)
