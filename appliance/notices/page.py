"""`docs/cards.md`, in each language: every card, and every reason that one can give, so that a search finds them."""

from collections.abc import Iterator, Mapping

from appliance.notices.catalogue import CATALOGUE
from appliance.notices.notice import MINUTES, Notice
from appliance.notices.reasons import REASONS, WITH_CODE
from appliance.notices.translation import translation
from appliance.store.cards import CardKind
from appliance.store.statements import Difference
from appliance.twilio import codes

PAGES = {"en": "cards.md", "pt-BR": "cards.pt-BR.md"}
MADE = "<!-- Made by `make words` from appliance/notices; do not edit by hand. -->"
TITLE = "Cards: what needs your eye"
INTRODUCTION = (
    "A card tells of something that the appliance cannot settle alone, or that you should know. Each says what "
    "happened, what happens by itself, and one thing that you can do; many go away by themselves.",
    "`appliance cards list` shows the open cards. One that does not go away by itself is put away with "
    "`appliance cards dismiss`. The ID in a command of a card is the number that `appliance dead-letters list` shows.",
    "Customers are shown by the end of their number alone, such as …4321. Here, words in italics stand for what a card "
    "fills in; the reasons are listed at the end.",
)
ALERTS = "Hear of cards on your phone"
ABOUT_ALERTS = (
    "`alerts.url` in `config.toml` gets one POST for each new card and for each reminder: title, priority and tags in "
    "the headers, the text in the body. With ntfy, install its app and choose a topic that nobody guesses: "
    '`url = "https://ntfy.sh/your-topic"`. Any other webhook that takes plain text works too.',
    "You are reminded once of whoever waits for a person: after an hour, at nine where that was at night, or when you "
    "open where that was promised; and once more when WhatsApp's 24 hours are over.",
    "`alerts.ping_url` is asked for every five minutes while all is well. A service such as Healthchecks tells you "
    "when that stops: the box is off, has no network, or customers wait too long.",
    "Cards of one business are in its language, with its time. `server.language` is for those of the whole box, and "
    "for `appliance status` and `appliance check`: pt-BR, en or es. Without it they are in Portuguese where the first "
    "business is, else in English. There are no Spanish words for them yet: es reads English.",
)
REASONS_TITLE = "All reasons"
ABOUT_REASONS = (
    "What may stand behind a reason in parentheses is what another program or the system said, in its words."
)
ITSELF, TODO, CLOSES, ALERT = "What happens by itself", "What to do", "Goes away", "Alert"
PRIORITY = "priority {priority} of 5"
LATER = "priority {priority} of 5, after {minutes} minutes"
LASTS = "It stays as long as what it tells of."
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Customers who wait for you": (
        CardKind.WAITING,
        f"{CardKind.WAITING}.opening",
        f"{CardKind.WAITING}.opened",
        f"{CardKind.WAITING}.closed",
        CardKind.TOO_LATE,
        CardKind.COULD_NOT_ANSWER,
        CardKind.UNANSWERED,
        CardKind.OPTED_OUT,
    ),
    "Answers on their way": (
        CardKind.NOT_SENT,
        CardKind.UNDELIVERED,
        CardKind.DOUBT,
        f"{CardKind.DOUBT}.parked",
        CardKind.SENT_TWICE,
    ),
    "Twilio": (
        CardKind.UNREACHABLE,
        CardKind.CREDENTIALS,
        CardKind.SIGNATURE,
        CardKind.UNHEARD,
        CardKind.TWILIO,
        f"{CardKind.TWILIO}.day",
        CardKind.LOG,
        CardKind.HAND_BACK,
        CardKind.SETTLE,
        *(f"{CardKind.STATEMENT}.{each}" for each in Difference),
        CardKind.MOVED,
    ),
    "The AI": (CardKind.AI, f"{CardKind.AI}.fails"),
    "This box": (
        CardKind.DISK,
        CardKind.BACKUP,
        CardKind.NO_BACKUP,
        CardKind.RESTORED,
        CardKind.CLOCK,
        f"{CardKind.CLOCK}.twilio",
        CardKind.FORGET,
    ),
    "Setting up": (
        CardKind.NO_ORGANIZATION,
        CardKind.NO_KNOWLEDGE,
        CardKind.NOTHING_YET,
        CardKind.ORPHAN,
        CardKind.STRANGER,
    ),
}
FILLED_IN = {"why": "reason", "changes": "what to change", "said": "what was said", "organization": "the business"}
SAMPLES: Mapping[str, str | int] = {
    "who": "…4321",
    "number": "…0199",
    "account_sid": "…c0de",
    "since": "14:12",
    "until": "08:00",
    "day": "29/11",
    "count": 3,
    "free": 180,
    "needed": 400,
    "limit": 20,
    "minutes": 12,
    "was": "main",
    "at": "main",
    "url": "https://…/twilio/messages",
    "public_url": "https://…",
    "reached": "https://…",
    "console": "https://…/twilio/messages",
    "section": "twilio",
    "strip": "/…",
    "method": "GET",
    "other": "main",
}


def sentences() -> Iterator[str]:
    """The page's own, which are translated too."""
    yield from (TITLE, *INTRODUCTION, ALERTS, *ABOUT_ALERTS, REASONS_TITLE, ABOUT_REASONS)
    yield from (ITSELF, TODO, CLOSES, ALERT, PRIORITY, LATER, LASTS)
    yield from (*GROUPS, *REASONS, *FILLED_IN.values())


def page(language: str) -> str:
    """As Markdown."""
    return "\n".join([MADE, "", *_lines(_Words(language))]).rstrip() + "\n"


class _Words:
    def __init__(self, language: str) -> None:
        self._tongue = translation(language)
        italics = {name: f"*{self._tongue.gettext(words)}*" for name, words in FILLED_IN.items()}
        self._facts: Mapping[str, str | int] = {**SAMPLES, **italics}

    def __call__(self, words: str, **facts: int) -> str:
        return self._tongue.gettext(words).format_map({**self._facts, **facts})


def _lines(say: _Words) -> Iterator[str]:
    yield from (f"# {say(TITLE)}", "")
    yield from _paragraphs(say, INTRODUCTION)
    yield from (f"## {say(ALERTS)}", "")
    yield from _paragraphs(say, ABOUT_ALERTS)
    for group, names in GROUPS.items():
        yield from (f"## {say(group)}", "")
        for name in names:
            yield from _card(say, CATALOGUE[name])
    yield from (f"## {say(REASONS_TITLE)}", "", say(ABOUT_REASONS), "")
    for heading, reasons in REASONS.items():
        yield from (f"### {say(heading)}", "")
        yield from (
            f"- {say(reason)}{''.join(say(WITH_CODE, code=code) for code in _codes(reason))}" for reason in reasons
        )
        yield ""


def _paragraphs(say: _Words, paragraphs: tuple[str, ...]) -> Iterator[str]:
    for paragraph in paragraphs:
        yield from (say(paragraph), "")


def _card(say: _Words, kind: Notice) -> Iterator[str]:
    alert = LATER if kind.alert_after else PRIORITY
    yield from (f"### {say(kind.title)}", "", say(kind.text), "")
    yield f"- **{say(ITSELF)}:** {say(kind.itself)}"
    yield f"- **{say(TODO)}:** {say(kind.todo)}"
    yield f"- **{say(CLOSES)}:** {say(kind.closes)}.{f' {say(LASTS)}' if kind.is_state else ''}"
    yield f"- **{say(ALERT)}:** {say(alert, priority=kind.priority, minutes=kind.alert_after // MINUTES)}."
    yield ""


def _codes(reason: str) -> list[int]:
    """Of Twilio's, that mean this."""
    return [code for code, words in codes.WORDS.items() if words == reason]
