"""Organizations (tenants) and their channels."""

import msgspec

from appliance.model import MAIN, MINUTE, Channel, Organization, Week
from appliance.store.repository import Repository
from appliance.store.sql import Row, Sql

CLOCK_SKEW = 2 * MINUTE  # the first watermark is read on Twilio's clock, and ours may be ahead


_TEXTS = (
    "(SELECT json_group_object(t.key, t.body) FROM texts t "
    "WHERE t.organization_id = organizations.id AND t.language = organizations.language) AS texts"
)


class Organizations(Repository[Organization]):
    """Each with its opening hours and its own wording of fixed texts."""

    table = "organizations"
    type = Organization

    def __init__(self, sql: Sql) -> None:
        super().__init__(sql)
        self._columns = ", ".join(_TEXTS if name == "texts" else name for name in self._names)

    def _load(self, row: Row) -> Organization:
        values = {name: row[name] for name in self._names}
        values["hours"] = msgspec.json.decode(row["hours"], type=Week)
        return Organization(**values | {"texts": msgspec.json.decode(row["texts"], type=dict[str, str])})

    def named(self, name: str) -> Organization | None:
        return self._find("name = ? COLLATE NOCASE", name)

    def insert(self, name: str, language: str, timezone: str, instructions: str, contact: str) -> int:
        return self._sql.insert(
            "organizations",
            name=name,
            language=language,
            timezone=timezone,
            instructions=instructions,
            contact=contact,
            created_at=self._sql.now,
        )

    def update(self, organization_id: int, **columns: str) -> None:
        changes = ", ".join(f"{name} = ?" for name in columns)  # literal names
        self._sql.run(f"UPDATE organizations SET {changes} WHERE id = ?", *columns.values(), organization_id)  # noqa: S608

    def set_hours(self, organization_id: int, hours: Week) -> None:
        self.update(organization_id, hours=msgspec.json.encode(hours).decode())


class Channels(Repository[Channel]):
    """Those in use, unless it says otherwise; one that was removed is kept for its messages."""

    table = "channels"
    type = Channel

    def at(self, account: str, address: str) -> Channel | None:
        """An account's channel of an enabled organization with this address."""
        return next((channel for channel in self.with_address(address) if channel.account == account), None)

    def with_address(self, address: str, *, enabled: bool = True) -> list[Channel]:
        """In use, one for each account that has the address; those of enabled organizations, or all."""
        return self._select(
            "address = ? AND removed_at IS NULL "
            "AND (NOT ? OR organization_id IN (SELECT id FROM organizations WHERE disabled_at IS NULL)) ORDER BY id",
            address,
            enabled,
        )

    def beside(self, channel_id: int) -> list[Channel]:
        """The other channels of the same account whose addresses are of the same kind, such as whatsapp:…"""
        own = self.get(channel_id)
        assert own is not None
        every = self._select("account = ? AND id <> ? ORDER BY id", own.account, own.id)
        return [each for each in every if each.address.rpartition(":")[0] == own.address.rpartition(":")[0]]

    def is_in_use(self, channel_id: int) -> bool:
        return bool(self._sql.value("SELECT 1 FROM channels WHERE id = ? AND removed_at IS NULL", channel_id))

    def removed(self, account: str, address: str) -> Channel | None:
        return self._find("account = ? AND address = ? AND removed_at IS NOT NULL", account, address)

    def remove(self, channel_id: int) -> None:
        """Nothing is left of one that nobody ever wrote to or was written to from."""
        self._sql.run("UPDATE channels SET removed_at = ? WHERE id = ?", self._sql.now, channel_id)
        self._sql.run(
            "DELETE FROM channels WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM contacts WHERE channel_id = ?1)",
            channel_id,
        )

    def bring_back(self, channel_id: int) -> None:
        """In use again; what was written to it meanwhile is not fetched."""
        watermark = self._sql.now - CLOCK_SKEW
        self._sql.run(
            "UPDATE channels SET removed_at = NULL, watermark_at = ?, back_at = ? WHERE id = ?",
            watermark,
            self._sql.now,
            channel_id,
        )

    def in_use(self, limit: int) -> list[Channel]:
        return self._select("removed_at IS NULL ORDER BY id LIMIT ?", limit)

    def first_at(self) -> int | None:
        """When the first channel that is in use was registered (ms UTC)."""
        at = self._sql.value("SELECT min(created_at) FROM channels WHERE removed_at IS NULL")
        return None if at is None else int(at)

    def move(self, channel_id: int, account: str, *, goes_on: bool) -> None:
        """To another account: what Twilio says of it comes from there from now on. `goes_on`: the old one's log is read
        to its end.
        """
        self._sql.run(
            "INSERT OR REPLACE INTO former_accounts (channel_id, account, read_from, moved_at) "
            "SELECT id, account, iif(?, watermark_at, NULL), ? FROM channels WHERE id = ?",
            goes_on,
            self._sql.now,
            channel_id,
        )
        self._sql.run("UPDATE channels SET account = ? WHERE id = ?", account, channel_id)

    def exists(self, address: str, account: str | None = None) -> bool:
        """In an account, or in whatever one."""
        statement = "SELECT 1 FROM channels WHERE address = ? AND account = coalesce(?, account) AND removed_at IS NULL"
        return bool(self._sql.value(statement, address, account))

    def accounts(self) -> dict[str, int]:
        """How many channels each account has, those of disabled organizations included."""
        rows = self._sql.all("SELECT account, count(*) FROM channels GROUP BY account ORDER BY min(id)")
        return {row[0]: row[1] for row in rows}

    def insert(self, organization_id: int, address: str, account: str = MAIN) -> int:
        now = self._sql.now
        return self._sql.insert(
            "channels",
            organization_id=organization_id,
            account=account,
            address=address,
            created_at=now,
            watermark_at=now - CLOCK_SKEW,
        )

    def enabled(self, account: str) -> list[tuple[Channel, int, str]]:
        """An account's: (channel, watermark, time zone of its organization)."""
        rows = self._sql.all(
            "SELECT c.*, o.timezone FROM channels c JOIN organizations o ON o.id = c.organization_id "
            "WHERE c.account = ? AND o.disabled_at IS NULL AND c.removed_at IS NULL ORDER BY c.id",
            account,
        )
        return [(self._load(row), row["watermark_at"], row["timezone"]) for row in rows]

    def left(self, account: str, since: int) -> list[tuple[Channel, int, str]]:
        """The same of channels that left an account since a time (ms UTC): its log may have more of them."""
        rows = self._sql.all(
            "SELECT c.*, f.read_from, o.timezone FROM former_accounts f JOIN channels c ON c.id = f.channel_id "
            "JOIN organizations o ON o.id = c.organization_id "
            "WHERE f.account = ?1 AND f.read_from IS NOT NULL AND f.moved_at >= ?2 AND o.disabled_at IS NULL "
            "AND c.removed_at IS NULL AND NOT EXISTS (SELECT 1 FROM channels n "  # nor where it has the address again
            "WHERE n.account = ?1 AND n.address = c.address AND n.removed_at IS NULL) ORDER BY c.id",
            account,
            since,
        )
        return [(self._load(row), row["read_from"], row["timezone"]) for row in rows]

    def read_to_the_end(self, channel_id: int, account: str, at: int) -> None:
        """An account's log was read up to a time (ms UTC): if the channel had left it by then, it has nothing more."""
        self._sql.run(
            "UPDATE former_accounts SET read_from = NULL WHERE channel_id = ? AND account = ? AND moved_at <= ?",
            channel_id,
            account,
            at,
        )

    def read_up_to(self, channel_id: int, watermark: int) -> None:
        """Twilio's log was read completely up to here; the watermark never goes back."""
        self._sql.run("UPDATE channels SET watermark_at = max(watermark_at, ?) WHERE id = ?", watermark, channel_id)

    def read_again(self, channel_id: int, at: int) -> None:
        """What came in at a time (Twilio's clock) is missing although the log was read: the next pass begins there."""
        self._sql.run("UPDATE channels SET watermark_at = min(watermark_at, ?) WHERE id = ?", at, channel_id)

    def of(self, organization_id: int) -> list[Channel]:
        return self._select("organization_id = ? AND removed_at IS NULL ORDER BY id", organization_id)
