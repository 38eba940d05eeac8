"""Who may look in, their sessions and one-time links. Of a cookie or a link only its hash is kept."""

from dataclasses import dataclass

from appliance.model import HOUR
from appliance.store.repository import Repository
from appliance.store.sql import Row

KEEP = 30 * 24 * HOUR  # a session, from when it was last used
LINK = HOUR  # how long a link can be used


@dataclass(frozen=True, slots=True)
class User:
    """`admin`: in every organization, and in the box's own parts. Times in ms UTC."""

    id: int
    organization_id: int
    email: str
    password_hash: str | None  # None: none until a one-time link sets it
    admin: int
    language: str | None  # of the pages; None: the organization's
    seen_at: int | None
    created_at: int


class Users(Repository[User]):
    table = "users"
    type = User

    def named(self, email: str) -> User | None:
        return self._find("email = ? COLLATE NOCASE", email)

    def of(self, organization_id: int) -> list[User]:
        return self._select("organization_id = ? ORDER BY id", organization_id)

    def add(self, organization_id: int, email: str, password_hash: str | None = None, *, admin: bool = False) -> int:
        """Without a password a link sets it. A second one of the name raises sqlite3.IntegrityError."""
        return self._sql.insert(
            "users",
            organization_id=organization_id,
            email=email,
            password_hash=password_hash,
            admin=int(admin),
            created_at=self._sql.now,
        )

    def update(self, user_id: int, **columns: str | int | None) -> None:
        changes = ", ".join(f"{name} = ?" for name in columns)  # literal names
        self._sql.run(f"UPDATE users SET {changes} WHERE id = ?", *columns.values(), user_id)  # noqa: S608

    def remove(self, user_id: int) -> None:
        """With all sessions and links."""
        self.sign_out(user_id)
        self.unlink(user_id)
        self._sql.run("DELETE FROM users WHERE id = ?", user_id)

    def link(self, user_id: int, link: bytes) -> None:
        """A new one-time link; the user's older ones are over."""
        self.unlink(user_id)
        statement = "INSERT INTO sign_in_links (hash, user_id, created_at) VALUES (?, ?, ?)"
        self._sql.run(statement, link, user_id, self._sql.now)

    def linked(self, link: bytes) -> User | None:
        """Whose link it is, as long as it can be used."""
        row = self._sql.one(
            "SELECT user_id FROM sign_in_links WHERE hash = ? AND created_at > ? AND created_at < ?",
            link,
            self._sql.now - LINK,
            self._sql.now + LINK,  # a clock that was wrong makes none of a year
        )
        return self.get(row["user_id"]) if row else None

    def unlink(self, user_id: int) -> None:
        """None of the user's links can be used any more."""
        self._sql.run("DELETE FROM sign_in_links WHERE user_id = ?", user_id)

    def sign_in(self, user_id: int, session: bytes) -> None:
        self._sql.run("DELETE FROM sessions WHERE seen_at <= ?", self._sql.now - KEEP)
        now = self._sql.now
        self._sql.run("INSERT INTO sessions VALUES (?, ?, ?, ?)", session, user_id, now, now)
        self.update(user_id, seen_at=now)

    def signed_in(self, session: bytes) -> tuple[User, int] | None:
        """Whose session it is, and when it was last used (ms UTC); None where it is over."""
        row = self._sql.one(
            "SELECT user_id, seen_at FROM sessions WHERE hash = ? AND seen_at > ?", session, self._sql.now - KEEP
        )
        user = row and self.get(row["user_id"])
        return (user, row["seen_at"]) if row and user else None

    def seen(self, user_id: int, session: bytes) -> None:
        self._sql.run("UPDATE sessions SET seen_at = ? WHERE hash = ?", self._sql.now, session)
        self.update(user_id, seen_at=self._sql.now)

    def sessions(self, user_id: int) -> list[Row]:
        return self._sql.all("SELECT hash, created_at, seen_at FROM sessions WHERE user_id = ?", user_id)

    def sign_out(self, user_id: int, *, but: bytes = b"") -> None:
        """Everywhere, or everywhere else."""
        self._sql.run("DELETE FROM sessions WHERE user_id = ? AND hash <> ?", user_id, but)

    def end_session(self, session: bytes) -> None:
        self._sql.run("DELETE FROM sessions WHERE hash = ?", session)
