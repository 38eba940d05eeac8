"""A page's words, numbers and times, as the person who looks at it reads them."""

import gettext
from datetime import date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from appliance.model import SECOND
from appliance.operations import lines

LOCALES = Path(__file__).parents[1] / "locale"
DOMAIN = "pages"
LANGUAGES = ("pt-BR", "en")  # that pages have
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_SIZES = ("B", "kB", "MB", "GB", "TB")


@cache
def translation(language: str) -> gettext.NullTranslations:
    return gettext.translation(DOMAIN, LOCALES, [language.replace("-", "_")], fallback=True)


class Words:
    """`language`: one of LANGUAGES; `now`: ms UTC. Times are shown as the organization's clock has them."""

    def __init__(self, language: str, timezone: str, now: int) -> None:
        self.language = language if language in LANGUAGES else "en"
        self.timezone = timezone
        self.now = now
        self._zone = ZoneInfo(timezone)
        self._tongue = translation(self.language)

    def t(self, words: str, **values: object) -> str:
        found = self._tongue.gettext(words)
        return found.format(**values) if values else found

    def n(self, one: str, many: str, count: int, **values: object) -> str:
        """`{count}` is there, as the language writes numbers."""
        return self._tongue.ngettext(one, many, count).format(count=self.number(count), **values)

    def h(self, words: str, **values: object) -> Markup:
        """Words with markup of ours; the values have none."""
        return Markup(self._tongue.gettext(words)).format(**{name: escape(value) for name, value in values.items()})  # noqa: S704  # our own words

    def number(self, value: float, digits: int = 0) -> str:
        text = f"{value:,.{digits}f}"
        return text.translate(str.maketrans(",.", ".,")) if self.language == "pt-BR" else text

    def size(self, count: float) -> str:
        """Bytes in a unit that leaves at most four digits."""
        value, unit = float(count), 0
        while value >= 1_000 and unit < len(_SIZES) - 1:
            value, unit = value / 1_000, unit + 1
        return f"{self.number(value, 1 if unit and value < 10 else 0)} {_SIZES[unit]}"

    def age(self, seconds: float) -> str:
        return lines.age(seconds)

    def local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at / SECOND, self._zone)

    def time(self, at: int) -> str:
        return self.local(at).strftime("%H:%M")

    def day(self, at: int) -> str:
        """A day by its distance and name: "today", "yesterday, 29 November", "Monday, 23 November"."""
        that, today = self.local(at).date(), self.local(self.now).date()
        if that == today:
            return self.t("today")
        if (today - that).days == 1:
            return self.t("yesterday, {date}", date=self._date(that, today))
        return f"{self.t(WEEKDAYS[that.weekday()])}, {self._date(that, today)}"

    def long_date(self, at: int) -> str:
        """With the weekday, whichever day it is."""
        that = self.local(at).date()
        return f"{self.t(WEEKDAYS[that.weekday()])}, {self._date(that, self.local(self.now).date())}"

    def when(self, at: int) -> str:
        """Short, for a list: "17:36", "yesterday 17:36", "tomorrow 06:00", "29 November 17:36"."""
        that, today, time = self.local(at).date(), self.local(self.now).date(), self.time(at)
        match (that - today).days:
            case 0:
                return time
            case -1:
                return self.t("yesterday {time}", time=time)
            case 1:
                return self.t("tomorrow {time}", time=time)
        return f"{self._date(that, today)} {time}"

    def brief(self, at: int) -> str:
        """As short as can be, for what is long ago only the day: "17:36", "yesterday", "Monday", "29 November"."""
        that, today = self.local(at).date(), self.local(self.now).date()
        match (today - that).days:
            case 0:
                return self.time(at)
            case 1:
                return self.t("yesterday")
            case 2 | 3 | 4 | 5 | 6:
                return self.t(WEEKDAYS[that.weekday()])
        return self._date(that, today)

    def _date(self, that: date, today: date) -> str:
        month = self.t(_MONTHS[that.month - 1])
        if that.year == today.year:
            return self.t("{day} {month}", day=that.day, month=month)
        return self.t("{day} {month} {year}", day=that.day, month=month, year=that.year)
