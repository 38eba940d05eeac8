"""The words of notices in the reader's language: gettext catalogues beside this file, compiled with Babel."""

import gettext
from functools import cache
from pathlib import Path

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "notices"


@cache
def translation(language: str) -> gettext.NullTranslations:
    """Of `pt-BR` and the like; English where there is no catalogue."""
    return gettext.translation(DOMAIN, LOCALES, [language.replace("-", "_")], fallback=True)


def translated(words: str, language: str) -> str:
    """Of a reason: what stands behind it in parentheses is another's, such as "no answer in time (api.twilio.com)"."""
    tongue = translation(language)
    reason, bracket, others = words.partition(" (")
    for known, rest in ((words, ""), (reason, bracket + others)):
        if known and (found := tongue.gettext(known)) != known:
            return found + rest
    return words
