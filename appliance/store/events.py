"""Every delivery event Twilio ever told us, also those that change nothing."""

import msgspec

from appliance.store.sql import Sql
from appliance.wire import DeliveryReport

UNNAMED = "names no row of ours"  # an event's note
SIGNED_BY = f"{UNNAMED}, signed by "  # then the name of our account, where Twilio does not say whose it is


class DeliveryEvents:
    def __init__(self, sql: Sql) -> None:
        self._sql = sql

    def insert(self, report: DeliveryReport, outbox_id: int | None, note: str = "") -> None:
        self._sql.insert(
            "delivery_events",
            outbox_id=outbox_id,
            reference=report.reference,
            sid=report.sid,
            status=report.status,
            error_code=report.error_code,
            note=note,
            parameters=msgspec.json.encode(report.parameters).decode(),
            received_at=self._sql.now,
        )
