"""What each column of the database tells about a customer, and what is left of it where the customer is forgotten.

Export and forgetting are made of this table, so that neither can leave out what the other knows; a column that is not
in it fails a test.
"""

from dataclasses import dataclass
from enum import StrEnum

from appliance.model import FORGETTING, FORGOTTEN
from appliance.store.box import Fact
from appliance.store.events import SIGNED_BY


class Told(StrEnum):
    PERSONAL = "personal"  # the customer's words, names and addresses, what points to them, and what was answered
    PROOF = "proof"  # that and when something happened, and what became of it
    NEITHER = "neither"  # of the machine, or of the organization and its own people


class Rows(StrEnum):
    STAY = "stay"  # counts and references need them; what is personal in them goes
    GO = "go"
    LATER = "later"  # when Twilio has deleted what they name


@dataclass(frozen=True, slots=True)
class Column:
    """`becomes`: SQL for what a personal column of a row that stays is from then on."""

    told: Told
    becomes: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """`whose`: SQL for which rows are a contact's, by :contact, :address, :channel, :account, :lane and
    :organization; empty: no customer's. `key`: what names a row.
    """

    columns: dict[str, Column]
    whose: str = ""
    rows: Rows = Rows.STAY
    key: str = "id"

    def named(self, told: Told) -> list[str]:
        return [name for name, column in self.columns.items() if column.told == told]


def _table(
    proof: str = "", neither: str = "", *, whose: str = "", rows: Rows = Rows.STAY, key: str = "id", **personal: str
) -> Table:
    columns = {name: Column(Told.PERSONAL, becomes) for name, becomes in personal.items()}
    columns |= {name: Column(Told.PROOF) for name in proof.split()}
    return Table(columns | {name: Column(Told.NEITHER) for name in neither.split()}, whose, rows, key)


_BY_ID = f"'{FORGOTTEN}' || id"
_EMPTY = "''"
_NONE = "'[]'"
_CONVERSATIONS = "(SELECT id FROM conversations WHERE contact_id = :contact)"
_OUTBOX = "(SELECT id FROM outbox WHERE contact_id = :contact)"
_KNOWS = "EXISTS (SELECT 1 FROM contacts c WHERE c.channel_id = r.id AND c.address = :address)"
_TOLD = "(SELECT p.value ->> 1 FROM json_each(parameters) p WHERE p.value ->> 0 = '{}' LIMIT 1)"
_FROM = f"nullif({_TOLD.format('From')}, '')"
# Of which account a row is, where it says so.
_ACCOUNT = f"(SELECT value FROM box WHERE key = '{Fact.ACCOUNT_OF}:' || {{}})"  # noqa: S608
_EVENTS = (
    f"coalesce({_ACCOUNT.format(_TOLD.format('AccountSid'))}, "
    f"iif(substr(note, 1, {len(SIGNED_BY)}) = '{SIGNED_BY}', substr(note, {len(SIGNED_BY) + 1}), NULL))"
)
_ORPHANS = _ACCOUNT.format("account_sid")
# It names this channel or none, and is not another organization's: two accounts may have one number, so the account
# says whose it is. A channel that came from another account brought its rows along. Where only an address is left to go
# by, it is this organization's unless another one, whose it could be as well, knows the customer.
_UNNAMED = f"""outbox_id IS NULL AND EXISTS (SELECT 1 FROM json_each(parameters) p WHERE p.value ->> 1 = :address)
    AND coalesce({_FROM}, :channel) = :channel AND NOT EXISTS (
    SELECT 1 FROM channels r WHERE r.organization_id <> :organization
    AND r.address = coalesce({_FROM}, r.address) AND r.account = coalesce({_EVENTS}, r.account)
    AND ({_EVENTS} <> :account OR {_KNOWS}))"""  # noqa: S608  # our own texts
# A message to nobody's number belongs to no organization; it is this one's where no other of its account knows the
# customer, and this one has a channel there. Organization 0: one that has forgotten the customer, whichever that was.
_NOBODY_ELSES = f"""sender = :address AND NOT EXISTS (
    SELECT 1 FROM channels r WHERE r.organization_id <> :organization AND r.account = coalesce({_ORPHANS}, r.account)
    AND ({_KNOWS} OR (:organization <> 0
         AND {_ORPHANS} NOT IN (SELECT account FROM channels WHERE organization_id = :organization))))"""  # noqa: S608
# As older versions named it, of which one channel alone had an address.
_OLD_LANE = """(lane = :channel || '|' || :address AND (SELECT channel_id FROM contacts WHERE id = :contact)
    = (SELECT min(id) FROM channels WHERE address = :channel))"""

# In the order in which they are emptied: what finds the others comes last.
TABLES: dict[str, Table] = {
    "message_queue": _table(
        "id kind created_at finished_at status",
        "resource attempts crashes alone run run_at deadline_at started_at",
        lane="",
        message_sid="",
        payload="",
        error="",
        rows=Rows.GO,
        whose=f"lane = :lane OR {_OLD_LANE} "
        f"OR json_extract(payload, '$.outbox') IN {_OUTBOX} "
        f"OR json_extract(payload, '$.conversation') IN {_CONVERSATIONS}",
    ),
    "delivery_events": _table(
        "id outbox_id status error_code received_at",
        reference="",
        sid="",
        note="",
        parameters="",
        rows=Rows.GO,
        whose=f"outbox_id IN {_OUTBOX} OR {_UNNAMED}",
    ),
    "attempts": _table(
        "outbox_id number started_at ended_at status error_code",
        "guessed account",
        tag="",
        sid="",
        rows=Rows.GO,
        key="outbox_id, number",
        whose=f"outbox_id IN {_OUTBOX}",
    ),
    "messages": _table(
        "id organization_id contact_id conversation_id message_type notice received_at reply_id suppressed card_id",
        "source handed_back",
        sid=_BY_ID,
        body=_EMPTY,
        media=_NONE,
        parameters=_NONE,
        idempotency_token=_EMPTY,
        whose=f"conversation_id IN {_CONVERSATIONS} AND suppressed IS NOT '{FORGETTING}'",
    ),
    "outbox": _table(
        "id organization_id channel_id contact_id conversation_id kind state reason attempt status error_code reply_no "
        "intended_by covers created_at sending_at sent_at segments price price_unit",
        "absent_at seen",
        body=_EMPTY,
        body_hash="x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",  # SHA-256 of nothing
        source=_EMPTY,  # the topic that answered tells what was asked
        options="NULL",
        tag=_EMPTY,
        sid=f"iif(sid IS NULL, NULL, {_BY_ID})",
        idempotency_key="NULL",
        whose="contact_id = :contact",
    ),
    "cards": _table(
        "id organization_id kind subject times opened_at last_at closed_at",
        "alerted_at reminders",
        text=_EMPTY,
        facts="'{}'",
        dismissed="NULL",
        whose="subject IN (SELECT 'conversation:' || id FROM conversations WHERE contact_id = :contact) "
        "OR subject IN (SELECT 'outbox:' || id FROM outbox WHERE contact_id = :contact)",
    ),
    "orphaned_messages": _table(
        "id reason received_at",
        "account_sid recipient",  # which is a number of ours, or of nobody
        sid=_BY_ID,
        sender=_BY_ID,
        body=_EMPTY,
        parameters=_NONE,
        whose=_NOBODY_ELSES,
    ),
    "conversations": _table(
        "id organization_id channel_id contact_id status created_at updated_at expires_at",
        "version is_newest",
        session_key=f"'{FORGOTTEN}' || contact_id",
        whose="contact_id = :contact",
    ),
    "contacts": _table(
        "id channel_id opted_out_at opted_in_at reminded_at created_at forget_at",
        "paused_until handover handover_at handover_by spoke_at due_at resume_at",
        address=_BY_ID,
        profile_name=_EMPTY,
        opted_out_sid=f"iif(opted_out_sid IS NULL, NULL, '{FORGOTTEN}')",
        last_inbound_at="NULL",
        person_id="NULL",
        whose="id = :contact",
    ),
    "pauses": _table("subject organization_id contact_id began_at until ended_at", "paused_by"),
    "handover_events": _table("id contact_id what at", "who"),
    "unanswered": _table(
        "id organization_id contact_id message_id asked_at settled_at",
        words="",
        question="",
        rows=Rows.GO,
        whose="contact_id = :contact",
    ),
    "differences": _table(
        "id organization_id account day kind contact_id found_at settled_at",
        sid=_BY_ID,
        whose="contact_id = :contact",
    ),
    "contact_links": _table(
        "id contact_id other_id linked_at undone_at",
        "undone_by",
        evidence="",
        rows=Rows.GO,
        whose="contact_id = :contact OR other_id = :contact",
    ),
    "contact_aliases": _table(
        "contact_id noted_at",
        address="",
        evidence="",
        rows=Rows.GO,
        key="contact_id, address",
        # Also what says of another contact of the channel that it has the address as well.
        whose="contact_id = :contact OR (address = :address AND contact_id IN (SELECT o.id FROM contacts o "
        "JOIN contacts c ON c.channel_id = o.channel_id WHERE c.id = :contact))",
    ),
    "copies_at_twilio": _table(
        "forgetting_id",
        "account",
        sid="",
        rows=Rows.LATER,
        key="sid, account",
        whose="forgetting_id IN (SELECT id FROM forgettings WHERE contact_id = :contact)",
    ),
    # No customer's. A keyed hash is personal data still: whoever has the key can test a number.
    "forgotten": _table("who at opted_out_at"),
    "known_sids": _table("hash"),
    "forgettings": _table(
        "id organization_id contact_id state at_twilio requested_by requested_at erased_at finished_at report",
        "waits_for waits_since unread_since look_at",
    ),
    "organizations": _table(
        "", "id name language timezone instructions contact created_at disabled_at knowledge_version hours"
    ),
    "users": _table("", "id organization_id email password_hash created_at admin language seen_at"),
    "sessions": _table("", "hash user_id created_at seen_at"),
    "sign_in_links": _table("", "hash user_id created_at"),
    "texts": _table("", "organization_id language key body changed_at"),
    "topic_answers": _table("", "organization_id title day answers"),
    "statements": _table("", "organization_id account day compared_at compared_to there here settled"),
    "channels": _table("", "id organization_id account address created_at watermark_at removed_at back_at"),
    "former_accounts": _table("", "channel_id account read_from moved_at"),
    "knowledge": _table("", "id organization_id title body aliases updated_at changed_by"),
    "knowledge_fts": _table("", "title body aliases"),
    "knowledge_fts_config": _table("", "k v"),
    "knowledge_fts_data": _table("", "id block"),
    "knowledge_fts_docsize": _table("", "id sz"),
    "knowledge_fts_idx": _table("", "segid term pgno"),
    "box": _table("", "key value"),
    "sqlite_sequence": _table("", "name seq"),
}
OF_CUSTOMERS = {name: table for name, table in TABLES.items() if table.whose}
