"""Twilio's wire without I/O: check the signature, then parse, then only typed values go inward.

Sources: Twilio docs, "Webhooks security", "Twilio's request to your incoming message webhook URL", "Outbound message
status in status callbacks".
"""

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit, urlunsplit

import msgspec
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from appliance.wire import Alias, DeliveryReport, InboundMessage, Media, place

MAX_BODY = 256 * 1024
_MAX_FIELDS = 500
# The words of a button or a row of a list, which Twilio may send with an empty Body; what they stand for at the last.
_SAID = ("Body", "ButtonText", "ListTitle", "ListId", "ButtonPayload")
_WHATSAPP = "whatsapp:"
_USER_ID = re.compile(r"[A-Z]{2}\.(?:ENT\.)?[A-Za-z0-9]{1,128}")  # business-scoped
_WA_ID = re.compile(r"\+?[0-9]{7,15}")
_CHANGES = ("user_changed_user_id", "user_changed_number")
_DEFAULT_PORTS = {"https": 443, "http": 80}


class RefusedError(Exception):
    """Not Twilio's, or nothing that can be read. `str()` says why and is safe for the log."""


class UnreadableFormError(RefusedError):
    """The body is not an urlencoded form in UTF-8."""


class UnfitError(RefusedError):
    """No token of the account signed this form for an address of ours; nothing that it says is believed."""

    def __init__(self, form: MultiDict[str], reason: str = "bad signature") -> None:
        super().__init__(reason)
        self.form = form


@dataclass(frozen=True, slots=True)
class Request:
    """What the network handed over. `target`: path and query, raw. `reference`: the query's `o`.

    `method`: a number may be set to GET; what POST has in its body is in the query then, and signed as a part of the
    URL.
    """

    target: str
    headers: Mapping[str, str]
    body: bytes
    reference: str = ""
    method: str = "POST"


def parse_form(body: bytes) -> MultiDict[str]:
    """Decode `application/x-www-form-urlencoded`; blanks, repeats, order, spaces and NUL are kept."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        raise UnreadableFormError("unreadable form") from error
    return MultiDict(pairs)


class Signature:
    """Checks X-Twilio-Signature against our configured public URL; the request's own host is never believed."""

    def __init__(self, public_url: str, tokens: Sequence[str]) -> None:
        parts = urlsplit(public_url)
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        # Twilio has signed URLs both with and without the port, a custom one too; its own validator tries both.
        bare = parts.netloc.removesuffix(f":{parts.port}")
        self._bases = [urlunsplit(parts._replace(netloc=netloc)) for netloc in (bare, f"{bare}:{port}")]
        self._validators = [RequestValidator(token) for token in tokens]

    def holds(self, path_and_query: str, form: MultiDict[str], signature: str | None) -> bool:
        """Whether any accepted token signed this request. `path_and_query` is raw, as received."""
        if not signature:
            return False
        expected = (
            validator.compute_signature(base + path_and_query, form)
            for base in self._bases
            for validator in self._validators
        )
        presented = signature.encode(errors="replace")
        matches = [hmac.compare_digest(value.encode(), presented) for value in expected]
        return any(matches)


@dataclass(frozen=True, slots=True)
class Signer:
    """An account of ours. `tokens`: its own, current first, and its parent's, which may sign for a subaccount."""

    name: str
    account_sid: str
    tokens: Sequence[str]
    parent: str = ""


class Signers:
    """All accounts of ours: a webhook counts only for the account that it names and whose token signed it."""

    def __init__(self, public_url: str, signers: Sequence[Signer]) -> None:
        self._signers = [(each, Signature(public_url, each.tokens)) for each in signers]

    def of(
        self, path_and_query: str, form: MultiDict[str], signature: str | None, *, in_url: bool = False
    ) -> tuple[str, ...] | None:
        """The names of the accounts for which a signature stands; None where it does not hold.

        `in_url`: the form is the query, signed with the rest of the URL.

        An account of ours that the form names stands for itself alone. Where it names none, all whose tokens fit; where
        it names a stranger's, nobody, although it is one of our tokens that signed it.
        """
        named = form.get("AccountSid", "")
        asked = [each for each in self._signers if each[0].account_sid == named] or self._signers
        signed = MultiDict[str]() if in_url else form
        fits = [signer for signer, own in asked if own.holds(path_and_query, signed, signature)]
        if not fits:
            return None
        return tuple(signer.name for signer in fits if named in ("", signer.account_sid))


def message(request: Request, signers: Signers) -> InboundMessage:
    """A customer's message, as Twilio signed it. Raises RefusedError."""
    form, accounts = _form(request, signers)
    found = inbound_message(form, request.headers.get("I-Twilio-Idempotency-Token", ""))
    if found is None:
        raise RefusedError("no MessageSid")
    return replace(found, account=accounts[0] if found.account_sid and accounts else "")


def report(request: Request, signers: Signers) -> DeliveryReport:
    """A status callback, as Twilio signed it. Raises RefusedError."""
    form, accounts = _form(request, signers)
    return replace(delivery_report(form, request.reference), accounts=accounts)


def form_of(request: Request) -> MultiDict[str]:
    """What it says, whoever sent it. Raises UnreadableFormError."""
    return parse_form(request.target.partition("?")[2].encode() if request.method == "GET" else request.body)


def _form(request: Request, signers: Signers) -> tuple[MultiDict[str], tuple[str, ...]]:
    """What it says, and the accounts of ours for which it does. Of a GET the URL says it, and is all that is signed."""
    form, signature = form_of(request), request.headers.get("X-Twilio-Signature")
    accounts = signers.of(request.target, form, signature, in_url=request.method == "GET")
    if accounts is None:
        raise UnfitError(form)
    return form, accounts


def inbound_message(form: MultiDict[str], idempotency_token: str = "") -> InboundMessage | None:
    """The message in a form, or None without a MessageSid. Unknown parameters are kept: Twilio adds some."""
    sid = form.get("MessageSid") or form.get("SmsMessageSid") or form.get("SmsSid")
    if not sid:
        return None
    return InboundMessage(
        sid=sid,
        account_sid=form.get("AccountSid", ""),
        sender=form.get("From", ""),
        recipient=form.get("To", ""),
        body=_body(form),
        media=_media(form),
        message_type=form.get("MessageType", ""),
        opt_out_type=form.get("OptOutType", "").upper(),
        profile_name=form.get("ProfileName", ""),
        parameters=tuple(form.items()),
        idempotency_token=idempotency_token,
        aliases=tuple(_aliases(form)),
    )


def _body(form: MultiDict[str]) -> str:
    """What the customer wrote, or chose where Body has nothing; a place that was sent, in words."""
    said = next((form[name] for name in _SAID if form.get(name, "").strip()), form.get("Body", ""))
    where = [form.get(name, "").strip() for name in ("Latitude", "Longitude")]
    if not all(where):
        return said
    told = place(*(" ".join(form.get(name, "").split()) for name in ("Label", "Address")), *where)
    return f"{said}\n{told}" if said.strip() else told


def _aliases(form: MultiDict[str]) -> Iterator[Alias]:
    """What else WhatsApp calls the sender: the number's own form, the business-scoped id, or what either was before."""
    sender = form.get("From", "")
    if not sender.startswith(_WHATSAPP):
        return
    told = [(name, form.get(name, "")) for name in ("WaId", "ExternalUserId")]
    if form.get("MessageType") == "system":
        told += _changed(form.get("ChannelMetadata", ""))
    for evidence, value in told:
        name = value.removeprefix(_WHATSAPP)
        if _WA_ID.fullmatch(name):
            name = f"+{name.removeprefix('+')}"
        elif not _USER_ID.fullmatch(name):
            continue
        if _WHATSAPP + name != sender:
            yield Alias(_WHATSAPP + name, evidence)


def _changed(metadata: str) -> list[tuple[str, str]]:
    """Meta's system message about a customer with a new number or id, which Twilio hands on as JSON."""
    try:
        data: Any = msgspec.json.decode(metadata)
    except (msgspec.DecodeError, RecursionError):
        return []
    while isinstance(data, dict) and "system" not in data:
        data = data.get("data", data.get("context"))
    system = data.get("system") if isinstance(data, dict) else None
    if not isinstance(system, dict) or system.get("type") not in _CHANGES:
        return []
    names = ("previous_user_id", "user_id", "wa_id")
    return [(str(system["type"]), str(system.get(name) or "")) for name in names]


def _media(form: MultiDict[str]) -> tuple[Media, ...]:
    """All that came with it; the count may lie, and a type may be missing."""
    numbers = range(min(_number(form.get("NumMedia")) or 0, _MAX_FIELDS))
    named = ((form.get(f"MediaUrl{number}"), form.get(f"MediaContentType{number}", "")) for number in numbers)
    return tuple(Media(url, content_type) for url, content_type in named if url is not None)


def delivery_report(form: MultiDict[str], reference: str) -> DeliveryReport:
    """A status callback; whatever is missing is empty."""
    return DeliveryReport(
        reference=reference,
        sid=form.get("MessageSid") or form.get("SmsSid") or "",
        status=(form.get("MessageStatus") or form.get("SmsStatus") or "").lower(),
        error_code=_number(form.get("ErrorCode")),
        account_sid=form.get("AccountSid", ""),
        sender=form.get("From", ""),
        recipient=form.get("To", ""),
        parameters=tuple(form.items()),
    )


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
