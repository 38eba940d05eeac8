"""An error in place of an answer, in whatever shape a server has for it: whose fault it is, its words for a card."""

import json
import re
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from itertools import groupby
from typing import Any

import msgspec

from appliance.ports import Permanent, ResponderError, Retryable
from appliance.printable import escaped

MAX_RETRY_AFTER = 3_600.0  # seconds
MAX_WORDS = 240  # characters
SHORTEST_LINE = 6  # characters of what was said that a server may repeat
MAX_MESSAGE = 4_096  # characters of an error that are looked at
RUN = 12  # characters of it by which a part of a line is known
LEAST_LIMIT = 256  # tokens
_RETRYABLE = frozenset({408, 409, 425, 429})
# Whoever asks hears the same until the owner does something: key, credit, model, address.
_FOR_ALL = frozenset({401, 402, 403, 404, 405, 410})
_ASSETS = r"(?:quota|budget|credits?|balance|billing|funds|payment)"
_CREDIT = re.compile(
    rf"(?:exceed|insufficient|exhausted|out of|requires? more|too low).{{0,40}}\b{_ASSETS}"
    rf"|\b{_ASSETS}\b.{{0,60}}(?:exceed|insufficient|exhausted|too low|reached|required|not active)",
    re.IGNORECASE | re.DOTALL,
)
_KEY = re.compile(r"api[ _-]?key|authenticat|invalid.{0,20}token", re.IGNORECASE)
_MODEL = re.compile(
    r"model[ _]not[ _]found|(?:invalid|unknown|unsupported) model|not a valid model|no models? loaded"
    r"|more system memory"
    r"|\bmodel\b.{0,200}\b(?:not found|not exist|not available|not supported|deprecated|decommissioned)"
    r"|max_(?:completion_)?tokens\b.{0,80}(?:too large|at most)",
    re.IGNORECASE | re.DOTALL,
)
_LASTING = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "budget_exceeded"})
_SOON = re.compile(r"(?:try again|retry)\s+(?:in|after)\s+[0-9]", re.IGNORECASE)
_FLAGGED = re.compile(r"moderation|flagged|content[ _]policy|safety", re.IGNORECASE)

_CONTEXT = re.compile(
    r"context[ _](?:length|size|window)|n_ctx|request too large|(?:prompt|input|request) (?:is|was) too long"
    r"|max_tokens must be at least 1|maximum (?:prompt|input) length",
    re.IGNORECASE,
)
_LIMIT = re.compile(
    r"(?:context (?:length|size|window)(?: is| of)?(?: only)?|n_ctx|\blimit(?: of)?)\W{0,3}([0-9]{3,9})", re.IGNORECASE
)
_COUNTED = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"([0-9]{2,9}) (?:in the messages|of text input)",
        r"contains at least ([0-9]{2,9})",
        r"(?:resulted in|keep the first|n_keep\W{1,3}|total length|input length|request \() ?([0-9]{2,9})",
        r"requested(?: about| tokens)? \(?([0-9]{2,9})",
    )
]
_UNKNOWN = re.compile(
    r"unsupported|unrecogni[sz]ed|unknown|unexpected|not support|not permitted|extra_forbidden|instead", re.IGNORECASE
)

_URL = re.compile(r"(https?://)(?:[^\s/@]*@)?([^\s?#\"'<>`]*)[^\s\"'<>`]*")
_SECRETS = re.compile(
    r"\bBearer\s+\S+|\b(?:sk|pk|gsk|xai|org|proj)[-_][\w.*…-]{3,}|\bAIza[\w-]{6,}|\S*\*{3,}[^\s.,;]*|\w*[-_]?\.{3}\w+"
    r"|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b(?=[A-Za-z_=]*[0-9])[\w=]{24,}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """`message`: the server's words, hostile. `names`: what it calls the fault (type, code, parameter).

    `n_ctx`, `n_prompt`: tokens that it takes, and that it found, where it says so in numbers. `retry_after`: seconds,
    as told. `is_paid`: it stood in a 200.
    """

    status: int
    message: str = ""
    names: frozenset[str] = frozenset()
    n_ctx: int | None = None
    n_prompt: int | None = None
    retry_after: float | None = None
    is_paid: bool = False

    def without(self, said: Collection[str]) -> "Refusal":
        """The same, with nothing of what was said to it: lines of it or runs, in whatever case, as text or in JSON."""
        forms = (json.dumps(line, ensure_ascii=ascii_only)[1:-1] for line in said for ascii_only in (True, False))
        lines = [line.lower() for line in (*said, *forms) if len(line) >= SHORTEST_LINE]
        runs = {line[start : start + RUN] for line in lines for start in range(max(len(line) - RUN, 0) + 1)}
        message = self.message[:MAX_MESSAGE]
        told = message.lower()
        lengths, repeated = {len(run) for run in runs}, [False] * len(told)
        for start in range(len(told)):
            for length in lengths:
                if told[start : start + length] in runs:
                    repeated[start : start + length] = [True] * length
        kept = groupby(zip(message, repeated, strict=False), lambda pair: pair[1])
        return replace(self, message="".join("…" if gone else "".join(c for c, _ in part) for gone, part in kept))

    @property
    def limit(self) -> int | None:
        """Tokens that it takes; what would hold no prompt at all is no limit."""
        told = self.n_ctx or next((int(match[1]) for match in _LIMIT.finditer(self.message)), 0)
        return told if told >= LEAST_LIMIT else None

    @property
    def counted(self) -> int | None:
        """Tokens that it found."""
        told = (match for pattern in _COUNTED if (match := pattern.search(self.message)))
        return self.n_prompt or next((int(match[1]) for match in told), None)

    @property
    def is_about_context(self) -> bool:
        """It has no room for so long a prompt."""
        if self.status == 429:  # a limit per minute that this one request does not fit into: waiting does not help
            return "request too large" in self.message.lower()
        return self.status not in _FOR_ALL and any(map(_CONTEXT.search, (self.message, *self.names)))

    def is_about(self, *parameters: str) -> bool:
        """It names one of these as what is wrong with the request."""
        texts = (self.message, *self.names)
        return self.status in (400, 422) and any(name in text for name in parameters for text in texts)

    def is_unknown(self, parameter: str) -> bool:
        """It does not take a parameter of that name."""
        return self.is_about(parameter) and any(map(_UNKNOWN.search, (self.message, *self.names)))

    @property
    def is_for_all(self) -> bool:
        """Nobody is answered until the owner does something."""
        texts = (self.message, *self.names)
        if self.status == 429:
            will_end = self.retry_after is not None or _SOON.search(self.message)
            return bool(self.names & _LASTING) or (not will_end and any(map(_CREDIT.search, texts)))
        if self.status in (400, 422):
            return any(pattern.search(text) for pattern in (_CREDIT, _KEY, _MODEL) for text in texts)
        if self.status == 403 and _FLAGGED.search(self.message):
            return False  # this one message's words
        return (
            self.status in _FOR_ALL
            or 300 <= self.status < 400
            or (self.status == 500 and bool(_MODEL.search(self.message)))
        )

    def error(self, hidden: Iterable[str]) -> ResponderError:
        """What it is to the caller. `hidden`: what must not be repeated."""
        if self.is_for_all or self.is_about_context:
            words = self.words(hidden)
            return Permanent(f"HTTP {self.status}" + (f": {words}" if words else ""), for_all=True)
        if self.status >= 500 or self.status in _RETRYABLE:
            retry_after = 1.0 if self.status == 429 and self.retry_after is None else self.retry_after
            said = f"the provider answers with an error (HTTP {self.status})"
            return Retryable(said, retry_after=retry_after, is_paid=self.is_paid)
        return Permanent(f"the provider refused this question (HTTP {self.status})")

    def words(self, hidden: Iterable[str]) -> str:
        """The server's own, in one short printable line: no secrets, nothing of what was said to it."""
        told = self.message[: 10 * MAX_WORDS]
        for secret in sorted(filter(None, hidden), key=len, reverse=True):
            told = told.replace(secret, "…")
        told = _SECRETS.sub("…", _URL.sub(r"\1\2", told))
        line = escaped(" ".join(told.split()))
        return line if len(line) <= MAX_WORDS else line[: MAX_WORDS - 1].rstrip() + "…"


def refusal(status: int, body: bytes, retry_after: float | None = None) -> Refusal:
    """What an error's body says, as far as it can be read."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body.decode(errors="ignore").strip()  # such as "404 page not found"; a page of a proxy tells nothing
        found = {} if text.startswith(("<", "{", "[")) or len(text) > MAX_WORDS else {"message": text}
    return told(status, found, retry_after)


def told(status: int, found: Any, retry_after: float | None = None) -> Refusal:
    """The same of decoded JSON. A 200 with an error in it is what the error's code says, else the server's fault."""
    values = list(_values(found))
    numbers = {name: value for name, value in values if isinstance(value, int) and not isinstance(value, bool)}
    texts = [(name, value) for name, value in values if isinstance(value, str)]
    is_paid = 200 <= status < 300
    if is_paid:
        codes = [numbers.get("code", 0), *(int(v) for n, v in texts if n == "code" and re.fullmatch("[0-9]{3}", v))]
        status = next((code for code in codes if 400 <= code < 600), 500)
    message = next((value for name, value in texts if name in ("message", "error", "detail", "msg")), "")
    names = frozenset(value for name, value in texts if name in ("type", "code", "param", "status", "loc"))
    return Refusal(
        status, message, names, numbers.get("n_ctx"), numbers.get("n_prompt_tokens"), retry_after, is_paid=is_paid
    )


def _values(found: Any, name: str = "", depth: int = 4) -> Iterator[tuple[str, Any]]:
    """All that an error holds, by the nearest name: errors are objects, texts, lists of one, or objects in objects."""
    if depth and isinstance(found, dict):
        for key, value in list(found.items())[:50]:
            yield from _values(value, str(key), depth - 1)
    elif depth and isinstance(found, list):
        for value in found[:10]:
            yield from _values(value, name, depth - 1)
    else:
        yield name, found


def retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds the server asks to be left alone (RFC 9110, 10.2.3)."""
    if status not in {429, 503}:
        return None
    value = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        wanted = float(value)
    elif (until := _timestamp(value)) is not None:
        sent = _timestamp(headers.get("Date", ""))  # the server's own clock: ours may be wrong
        wanted = until - (time.time() if sent is None else sent)
    else:
        return None
    return min(max(wanted, 1.0), MAX_RETRY_AFTER)


def _timestamp(value: str) -> float | None:
    try:
        return parsedate_to_datetime(value).timestamp()
    except (ValueError, OverflowError):
        return None
