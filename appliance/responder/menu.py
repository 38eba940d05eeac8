"""What the FAQ does where it is not sure: it offers up to three titles, and reads what is answered to them."""

from collections.abc import Iterable, Sequence

from appliance.language.choice import chosen
from appliance.model import TextKey, Topic
from appliance.ports import Dialogue, Reply
from appliance.responder.matching import Match
from appliance.texts import render

MOST = 3  # titles
LIKELY = 0.6  # what the likeliest topic needs, so that a question about something else is not answered with a menu
STANDS_OUT = 0.15  # of the likeliest one's, what the others need


def offer(found: Iterable[Match], dialogue: Dialogue) -> Reply | None:
    """A menu of the likeliest topics, each once; none where no topic is likely.

    Who has just been shown a menu and asks on wanted none of its titles: they are not offered again.
    """
    said = [turn.text for turn in dialogue.turns if turn.role == "assistant"]
    refused = dialogue.menu if said[-1:] == [render(TextKey.MENU, dialogue.organization, dialogue.menu)] else ()
    likely = {
        match.topic: match.likelihood
        for match in sorted(found, key=lambda match: match.likelihood)
        if match.topic.title not in refused
    }
    best = sorted(likely, key=lambda topic: likely[topic], reverse=True)[:MOST]
    if not best or likely[best[0]] < LIKELY:
        return None
    titles = tuple(topic.title for topic in best if likely[topic] >= STANDS_OUT * likely[best[0]])
    return Reply(source=f"menu: {', '.join(titles)}", key=TextKey.MENU, options=titles)


def picked(message: str, dialogue: Dialogue) -> Sequence[Topic]:
    """The topics that a message chooses from the last menu; none where it is a question, or they are gone since."""
    if not dialogue.menu:
        return ()
    known = dialogue.shelf.topics if dialogue.shelf else dialogue.topics
    topics = [next((topic for topic in known if topic.title == title), None) for title in dialogue.menu]
    names = [(title, *topic.aliases) if topic else (title,) for title, topic in zip(dialogue.menu, topics, strict=True)]
    numbers = chosen(message, names, dialogue.organization.language)
    return [topic for number in numbers if (topic := topics[number])]
