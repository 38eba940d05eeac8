"""Passwords of those who may look in: what is accepted, and how it is kept."""

import asyncio
import hashlib
import hmac
import os
import re
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import TypeVar

from appliance.errors import RequestError

T = TypeVar("T")
LEAST, MOST = 12, 256  # characters
_SCRYPT = {"n": 2**14, "r": 8, "p": 5}  # OWASP's Password Storage cheat sheet: 16 MiB, about a quarter of a second
NOBODY = f"scrypt${_SCRYPT['n']}${_SCRYPT['r']}${_SCRYPT['p']}${'00' * 16}${'00' * 64}"  # no password has this hash
_OWN = 6  # characters, of which four differ, that must be left without what somebody would try first
_ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "azertyuiop", "abcdefghijklmnopqrstuvwxyz",
         "1q2w3e4r5t6y7u8i9o0p", "1qaz2wsx3edc4rfv5tgb6yhn7ujm", "qazwsxedcrfvtgbyhnujm")  # fmt: skip
# The roots of the lists that guessers begin with, in the languages of our pages.
_COMMON = frozenset(re.findall(r"\w+", """
    correcthorsebatterystaple administrador administrator appliance password passwort passphrase contrasena palavrapasse
    palavra palabra segredo secreto secret senha clave chave acesso access admin root user usuario usuaria login entrar
    welcome bemvindo bienvenido changeme mudar123 trocar cambiar default letmein iloveyou teamo amor love minha minhas
    meu nova novo nueva new teste test demo brasil brazil portugal flamengo corinthians palmeiras santos futebol
    football futbol baseball master dragon monkey shadow sunshine princess princesa princesinha superman batman pokemon
    starwars michael jesus cristo deus familia felicidade estrela querty qwerty google facebook whatsapp twilio
    janeiro fevereiro marco abril maio junho julho agosto setembro outubro novembro dezembro
    segunda terca quarta quinta sexta sabado domingo verao inverno summer winter spring autumn feira
"""))  # fmt: skip
_LEET = str.maketrans("01345789@$!|", "oleasblgasil")


def hash_password(password: str, about: Iterable[str] = ()) -> str:
    """scrypt with its parameters and a random salt, as text. Takes a quarter of a second: see `make`.

    `about`: names that belong to its user. Raises RequestError for what would be guessed.
    """
    password = unicodedata.normalize("NFKC", password)
    if not LEAST <= len(password) <= MOST:
        reason = "The password must have {least} to {most} characters."
        raise RequestError("bad_password", reason, "password", least=LEAST, most=MOST)
    if is_guessable(password, about):
        reason = "This password is one of the first that somebody would try. Four words are easy to remember."
        raise RequestError("weak_password", reason, "password")
    salt = secrets.token_bytes(16)
    digest = hashlib.scrypt(_bytes(password), salt=salt, **_SCRYPT)
    return f"scrypt${_SCRYPT['n']}${_SCRYPT['r']}${_SCRYPT['p']}${salt.hex()}${digest.hex()}"


def is_password(password: str, hashed: str) -> bool:
    """Whether it is the one that was hashed. Takes as long: see `fits`."""
    _, n, r, p, salt, digest = hashed.split("$")
    text = _bytes(unicodedata.normalize("NFKC", password[: 2 * MOST]))
    found = hashlib.scrypt(text, salt=bytes.fromhex(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(found, bytes.fromhex(digest))


async def make(password: str, about: Iterable[str] = ()) -> str:
    """`hash_password` beside everything else, one at a time."""
    return await _beside(partial(hash_password, password, about))


async def fits(password: str, hashed: str | None) -> bool:
    """`is_password` beside everything else, one at a time; for nobody's, None, it takes as long."""
    return await _beside(partial(is_password, password, hashed or NOBODY))


def is_guessable(password: str, about: Iterable[str] = ()) -> bool:
    """Whether hardly anything of its own is in it beside common words, rows of the keyboard, years and `about`."""
    folded = _folded(password)
    together = re.sub(r"[\W_]", "", folded)
    readings = {folded, together, folded.translate(_LEET), together.translate(_LEET)}
    known = sorted({*_COMMON, *_names(about)}, key=len, reverse=True)
    return any(_is_too_little(_left(reading, known)) for reading in readings)


def _is_too_little(left: str) -> bool:
    unit = re.sub(r"^(.+?)\1+$", r"\1", left)  # said once
    return len(unit) < _OWN or len(set(unit)) < _OWN - 2


def _left(text: str, known: Iterable[str]) -> str:
    for word in known:
        text = text.replace(word, " ")
    text = re.sub(r"(.)\1{2,}|(?:19|20)[0-9]{2}", " ", text)
    return re.sub(r"[^\w]|_", "", "".join(_without_rows(text)))


def _without_rows(text: str) -> Iterator[str]:
    """What is no run of three or more along a row, in either direction."""
    at = 0
    while at < len(text):
        run = max((_run(text[at:], row + row) for each in _ROWS for row in (each, each[::-1])), default=0)
        if run < 3:
            yield text[at]
        at += run if run >= 3 else 1


def _run(text: str, row: str) -> int:
    """How many characters the text and the row have in common, from the text's first on."""
    place = row.find(text[0])
    length = 0
    while 0 <= place + length < len(row) and length < len(text) and row[place + length] == text[length]:
        length += 1
    return length if place >= 0 else 0


def _names(about: Iterable[str]) -> Iterator[str]:
    """Each of their words, and all of them together."""
    for name in about:
        words = [word for word in re.split(r"[\W_]+", _folded(name)) if len(word) >= 3]
        yield from (*words, "".join(words)) if words else ()


def _folded(text: str) -> str:
    letters = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def _step_back() -> None:
    """Linux has a priority for each thread: whoever serves customers goes first."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


_thread = ThreadPoolExecutor(1, "passwords", initializer=_step_back)


async def _beside(work: partial[T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(_thread, work)
