"""Passwords of those who may look in: what is accepted, and how it is kept."""

import hashlib
import hmac
import secrets

from appliance.errors import RequestError

LEAST, MOST = 12, 256  # characters
_SCRYPT = {"n": 2**14, "r": 8, "p": 5}  # OWASP's Password Storage cheat sheet: 16 MiB, about a quarter of a second


def hash_password(password: str) -> str:
    """scrypt with its parameters and a random salt, as text. Takes a quarter of a second: call it in a thread."""
    if not LEAST <= len(password) <= MOST:
        raise RequestError("bad_password", f"The password must have {LEAST} to {MOST} characters.", "password")
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(password.encode(), salt=salt, **_SCRYPT)
    return f"scrypt${_SCRYPT['n']}${_SCRYPT['r']}${_SCRYPT['p']}${salt.hex()}${digest.hex()}"


def is_password(password: str, hashed: str) -> bool:
    """Whether it is the one that was hashed. Takes as long: call it in a thread."""
    _, n, r, p, salt, digest = hashed.split("$")
    found = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(found, bytes.fromhex(digest))
