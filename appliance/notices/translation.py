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
