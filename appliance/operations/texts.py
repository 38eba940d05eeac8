"""The fixed texts of an organization, in its own wording where it has one: shown, changed, back to the original."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast, get_args

from appliance.errors import RequestError
from appliance.model import Language, Organization, TextKey
from appliance.operations.markdown import MAX_TITLE
from appliance.operations.organizations import check_language
from appliance.store import Tx
from appliance.texts import MAX_LENGTH, PLACEHOLDER, TEXTS, filled, length, normalise

LANGUAGES: tuple[Language, ...] = get_args(Language)
# What else stands in the same message: the titles of a menu, each in a line with its number, or an answer.
LONGEST: Mapping[TextKey, int] = {TextKey.MENU: MAX_LENGTH - 3 * (MAX_TITLE + 4), TextKey.LATE: 320}
_UNFIT = {"Cc", "Cs", "Co", "Cn"}  # kinds of characters that no telephone shows
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # what makes text run backwards


@dataclass(frozen=True, slots=True)
class Text:
    """`body`: what is in force, with its placeholders; `shown`: as a customer reads it now."""

    language: str
    key: str
    body: str
    shown: str
    original: str
    is_own: bool


def page(tx: Tx, organization: Organization, language: str | None = None) -> list[Text]:
    """In every language, or in one."""
    own = {(row["language"], row["key"]): row["body"] for row in tx.texts.of(organization.id)}
    return [
        Text(speaks, key, body, filled(body, organization), TEXTS[speaks][key], (speaks, key) in own)
        for speaks in (LANGUAGES if language is None else [_language(language)])
        for key in TextKey
        for body in [own.get((speaks, key), TEXTS[speaks][key])]
    ]


def put(tx: Tx, organization: Organization, language: str, key: str, body: str) -> None:
    """From now on in these words. Raises RequestError."""
    speaks, text = _language(language), _key(key)
    template = normalise(body)
    _require_fit(template, filled(template, organization), LONGEST.get(text, MAX_LENGTH))
    if template == TEXTS[speaks][text]:
        tx.texts.reset(organization.id, speaks, text)
    else:
        tx.texts.put(organization.id, speaks, text, template)


def reset(tx: Tx, organization: Organization, language: str, key: str) -> None:
    """Back to the original. Raises RequestError."""
    tx.texts.reset(organization.id, _language(language), _key(key))


def _require_fit(template: str, shown: str, longest: int) -> None:
    words = PLACEHOLDER.sub("", template)
    if not any(unicodedata.category(character)[0] in "LNPS" for character in words.replace("{", "").replace("}", "")):
        raise RequestError("empty", "The text has no words.", "body")
    if "{" in words or "}" in words:
        raise RequestError("bad_placeholder", "Braces stand only in {organization} and {contact}.", "body")
    if _TURNING.search(words) or any(
        unicodedata.category(character) in _UNFIT for character in words if character != "\n"
    ):
        raise RequestError("bad_text", "The text has characters that cannot be shown.", "body")
    if length(shown) > longest:
        raise RequestError("too_long", "The text is too long for one message.", "body")


def _language(named: str) -> Language:
    check_language(named)
    return cast("Language", named)


def _key(named: str) -> TextKey:
    try:
        return TextKey(named)
    except ValueError:
        raise RequestError(
            "unknown_text", "The text must be one of {all}.", "key", 404, all=", ".join(TextKey)
        ) from None
