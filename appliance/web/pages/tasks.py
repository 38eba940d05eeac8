"""What needs somebody, as the home page shows it: a picture, a tone, and one thing to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from appliance.operations.attention import Need
from appliance.store.cards import CardKind
from appliance.web.pages.words import Words

BOX_PAGES = ("/go-live", "/engine")
GRAVE, URGENT = 5, 4  # priorities of a notice
_PICTURES: Mapping[str, str] = {
    CardKind.WAITING: "person",
    CardKind.COULD_NOT_ANSWER: "cross",
    CardKind.TOO_LATE: "clock",
    CardKind.NOT_SENT: "stop",
    CardKind.UNDELIVERED: "stop",
    CardKind.DOUBT: "clock",
    CardKind.SENT_TWICE: "copy",
    CardKind.OPTED_OUT: "pause",
    CardKind.UNANSWERED: "cross",
    CardKind.AI: "spark",
    CardKind.ORPHAN: "unknown",
    CardKind.STRANGER: "unknown",
    CardKind.CREDENTIALS: "link",
    CardKind.UNREACHABLE: "link",
    CardKind.SIGNATURE: "link",
    CardKind.UNHEARD: "link",
    CardKind.TWILIO: "link",
    CardKind.LOG: "link",
    CardKind.MOVED: "link",
    CardKind.STATEMENT: "copy",
    CardKind.DISK: "disk",
    CardKind.BACKUP: "disk",
    CardKind.NO_BACKUP: "disk",
    CardKind.RESTORED: "disk",
    CardKind.CLOCK: "clock",
    CardKind.NO_KNOWLEDGE: "book",
    CardKind.NOTHING_YET: "chat",
    CardKind.FORGET: "person",
}
_GO_LIVE = (
    CardKind.CREDENTIALS,
    CardKind.UNREACHABLE,
    CardKind.SIGNATURE,
    CardKind.UNHEARD,
    CardKind.TWILIO,
    CardKind.NOTHING_YET,
)


@dataclass(frozen=True, slots=True)
class Task:
    """`href`: where the one thing is done; empty where there is nothing to do here. `teach`: where to teach it; `when`:
    since when, where it came in, how often.
    """

    need: Need
    title: str
    text: str
    picture: str
    tone: str
    action: str
    href: str
    teach: str
    when: str


def task(need: Need, words: Words, *, sees_box: bool) -> Task:
    card = need.card
    action, href = _action(need, words)
    if href in BOX_PAGES and not sees_box:
        action, href = words.t("Look"), ""
    when = [words.when(card.opened_at), *([need.asker.kind] if need.asker else [])]
    if card.times > 1:
        when.append(words.n("{count} time", "{count} times", card.times))
    is_asked = card.kind == CardKind.WAITING and need.asker is not None and need.asker.is_unknown
    question = need.asker.words if need.asker and is_asked else ""
    return Task(
        need,
        title=words.t("Could not answer {name}", name=need.asker.name) if need.asker and question else card.title,
        text=_text(need),
        picture="question" if question else _PICTURES.get(card.kind, "alert"),
        tone="bad" if card.priority >= GRAVE else "warn" if card.priority >= URGENT else "",
        action=action,
        href=href,
        teach=f"/topics/new?{urlencode({'question': question})}" if question else "",
        when=", ".join(when),
    )


def _text(need: Need) -> str:
    """What happened, as far as the customer's words do not say it, and one thing more: what to do where it is urgent,
    else what happens by itself.
    """
    card = need.card
    if need.asker is None:
        return f"{card.text} {card.todo if card.priority >= URGENT else card.itself}"
    if card.kind == CardKind.WAITING and need.asker.words:
        return "" if card.priority >= URGENT else card.text  # whose person is due later
    return f"{card.text} {card.itself}" if card.kind == CardKind.DOUBT else card.text


def _action(need: Need, words: Words) -> tuple[str, str]:
    kind = need.card.kind
    if need.asker is not None:
        answer = kind in (CardKind.WAITING, CardKind.COULD_NOT_ANSWER, CardKind.TOO_LATE)
        return words.t("Reply") if answer else words.t("Look"), f"/conversations/{need.asker.conversation_id}"
    if kind in _GO_LIVE:
        return words.t("Put it right"), "/go-live"
    if kind == CardKind.NO_KNOWLEDGE:
        return words.t("Teach it"), "/topics"
    if need.card.organization_id is None or kind == CardKind.STATEMENT:
        return words.t("Look"), "/engine"
    return words.t("Look"), "/conversations"
