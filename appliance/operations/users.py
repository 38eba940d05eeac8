"""Who may look in: users, their one-time links, and what each of them sees."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Any

from appliance.errors import RequestError
from appliance.model import Organization
from appliance.operations.organizations import EMAIL, MOST
from appliance.store import Tx
from appliance.store.users import User


@dataclass(frozen=True, slots=True)
class Visit:
    """A signed-in user, and the organization that is looked at. `sees_box`: the box's own parts too."""

    user: User
    organization: Organization
    sees_box: bool
    session: bytes  # its hash
    seen_at: int  # when the session was last used (ms UTC)


def secret() -> str:
    """For a cookie or a link: 32 random bytes as text."""
    return secrets.token_urlsafe(32)


def hashed(text: str) -> bytes:
    """As it is kept: whoever reads the file can use none of them."""
    return hashlib.sha256(text.encode(errors="surrogateescape")).digest()


def visit(tx: Tx, session: bytes, organization_id: int | None = None) -> Visit | None:
    """Whose session it is. `organization_id`: what an admin looks at; None, or for others: the own one."""
    found = tx.users.signed_in(session)
    if found is None:
        return None
    user, seen_at = found
    chosen = organization_id if user.admin and organization_id is not None else user.organization_id
    organization = tx.organizations.get(chosen) or tx.organizations.get(user.organization_id)
    assert organization is not None
    is_only = len(tx.organizations.page_of_the_box(limit=2)) == 1
    return Visit(user, organization, bool(user.admin) or is_only, session, seen_at)


def to_look_at(tx: Tx, user: User) -> list[Organization]:
    """Of what an admin can choose; for others there is nothing to choose."""
    return tx.organizations.page_of_the_box(limit=MOST) if user.admin else []


def find(tx: Tx, email: str) -> User:
    """Raises RequestError."""
    user = tx.users.named(email)
    if user is None:
        raise RequestError("unknown_user", "There is no user {email}.", "email", 404, email=email)
    return user


def add(tx: Tx, organization_id: int, email: str, *, admin: bool = False) -> int:
    """The new user's id; a link sets the password. Raises RequestError."""
    if not EMAIL.fullmatch(email):
        raise RequestError("bad_user", "The user must be an e-mail address.", "email")
    if tx.users.named(email):
        raise RequestError("taken", "There is a user {email} already.", "email", 409, email=email)
    return tx.users.add(organization_id, email, admin=admin)


def page(tx: Tx, organization_id: int | None) -> list[dict[str, Any]]:
    """Of an organization; None: of the box."""
    names = {each.id: each.name for each in tx.organizations.page_of_the_box(limit=MOST)}
    mine = [organization_id] if organization_id is not None else names
    return [
        {
            "id": user.id,
            "email": user.email,
            "organization": names[user.organization_id],
            "admin": bool(user.admin),
            "has_password": user.password_hash is not None,
            "seen_at": user.seen_at,
        }
        for each in mine
        for user in tx.users.of(each)
    ]


def about(tx: Tx, user: User) -> list[str]:
    """Names that no password of this user may live on."""
    organization = tx.organizations.get(user.organization_id)
    return [user.email, organization.name if organization else ""]


def set_password(tx: Tx, user: User, password_hash: str) -> None:
    """Whoever knew the old one is signed out, and a link that was not used is over."""
    tx.users.update(user.id, password_hash=password_hash)
    tx.users.sign_out(user.id)
    tx.users.unlink(user.id)


def link(tx: Tx, user: User) -> str:
    """The last part of a new one-time link; the user's older links are over."""
    word = secret()
    tx.users.link(user.id, hashed(word))
    return word


def invited(tx: Tx, word: str) -> list[str] | None:
    """What no password may live on of the user whose link it is; None where it cannot be used."""
    user = tx.users.linked(hashed(word))
    return about(tx, user) if user else None


def redeem(tx: Tx, word: str, password_hash: str) -> str | None:
    """Set the password by a link and sign in: the new session's cookie. None where the link cannot be used."""
    user = tx.users.linked(hashed(word))
    if user is None:
        return None
    set_password(tx, user, password_hash)
    return sign_in(tx, user)


def sign_in(tx: Tx, user: User) -> str:
    """The new session's cookie."""
    cookie = secret()
    tx.users.sign_in(user.id, hashed(cookie))
    return cookie


def sign_in_with(tx: Tx, email: str, password_hash: str) -> str | None:
    """The same for whoever knew this password; None where it is another one by now."""
    user = tx.users.named(email)
    return sign_in(tx, user) if user and user.password_hash == password_hash else None


def mark(password_hash: str) -> str:
    """What a browser keeps that signed in, so that it is known before it signs in again: while the password stays."""
    name = secret()
    return f"{name}.{_signed(name, password_hash)}"


def known(user: User | None, marked: str) -> str | None:
    """The browser's name, if it signed in as this user before."""
    name, _, signature = marked.partition(".")
    if user is None or user.password_hash is None:
        return None
    expected = _signed(name, user.password_hash)
    return name if hmac.compare_digest(signature.encode(errors="surrogateescape"), expected.encode()) else None


def _signed(name: str, password_hash: str) -> str:
    return hmac.new(password_hash.encode(), name.encode(errors="surrogateescape"), "sha256").hexdigest()
