"""Whom an organization lets look in: listed, invited, signed out, removed, by one of them.

Nobody acts on an administrator of the box but another one, or whoever may invite would be one soon.
"""

from dataclasses import dataclass

from appliance.errors import RequestError
from appliance.operations import users
from appliance.operations.users import Visit
from appliance.store import Tx
from appliance.store.users import KEEP, User


@dataclass(frozen=True, slots=True)
class Colleague:
    """`places`: in how many browsers it is signed in. `is_in_reach`: who looks may sign it out or remove it."""

    id: int
    email: str
    seen_at: int | None
    places: int
    is_me: bool
    is_admin: bool
    is_in_reach: bool


def page(tx: Tx, visit: Visit) -> list[Colleague]:
    return [
        Colleague(
            user.id,
            user.email,
            user.seen_at,
            sum(1 for session in tx.users.sessions(user.id) if session["seen_at"] > tx.now - KEEP),
            user.id == visit.user.id,
            bool(user.admin),
            _is_in_reach(visit, user),
        )
        for user in tx.users.of(visit.organization.id)
    ]


def invite(tx: Tx, visit: Visit, email: str, *, admin: bool) -> str:
    """The last part of a link that signs the new user in once. Raises RequestError.

    Again for somebody who has never come in: the older link is over.
    """
    if admin and not visit.user.admin:
        raise RequestError("not_admin", "Only who sees the whole box can let others see it.", "admin", 403)
    known = tx.users.named(email)
    if known and known.organization_id == visit.organization.id and known.password_hash is None and not known.admin:
        return users.link(tx, known)
    added = tx.users.get(users.add(tx, visit.organization.id, email, admin=admin))
    assert added is not None
    return users.link(tx, added)


def sign_out(tx: Tx, visit: Visit, user_id: int) -> None:
    """Everywhere; oneself everywhere else. Raises RequestError."""
    user = _find(tx, visit, user_id)
    tx.users.sign_out(user.id, but=visit.session)


def remove(tx: Tx, visit: Visit, user_id: int) -> None:
    """Signed out at once. Raises RequestError."""
    user = _find(tx, visit, user_id)
    if user.id == visit.user.id:
        raise RequestError("oneself", "Nobody can remove oneself.", "user", 409)
    tx.users.remove(user.id)


def _find(tx: Tx, visit: Visit, user_id: int) -> User:
    user = tx.users.get(user_id)
    if user is None or user.organization_id != visit.organization.id:
        raise RequestError("unknown_user", "There is no such user.", "user", 404)
    if not _is_in_reach(visit, user):
        raise RequestError("not_admin", "Only who sees the whole box can do this.", "user", 403)
    return user


def _is_in_reach(visit: Visit, user: User) -> bool:
    return bool(visit.user.admin or not user.admin or user.id == visit.user.id)
