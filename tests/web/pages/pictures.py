"""`make pages`: docs/pages.md and its pictures, from an owner's day with the running demo, and what each page costs.

A phone in Portuguese, light, and a desk in English, dark. Everything that is shown is what the demo did meanwhile.
"""

import asyncio
import re
import tempfile
from pathlib import Path

import aiohttp

from tests.bench.pages import tables
from tests.support.browsing import Theme, chromium, window
from tests.support.walk import NAMES, Customers, Walk
from tests.support.world import free_port
from tests.test_demo import demo

DOCS = Path(__file__).parents[3] / "docs"
PICTURES = DOCS / "pages"
PHONE: tuple[str, int, Theme] = ("pt-BR", 390, "light")
DESK: tuple[str, int, Theme] = ("en", 1280, "dark")
COUNTS = (1_000, 1_000_000)
SHOWN = {  # by the walk's names, in the order of the page
    "home-waiting": "Home, `/`: is it well, who waits for me, what happened today, stop.",
    "pause": "The pause says beforehand what each end means for those who write meanwhile.",
    "home-paused": "While paused, that is what home says first.",
    "conversations": "Conversations, `/conversations`: who wrote, filters, search.",
    "thread-typing": "A conversation in the owner's hands. The customer wrote while the owner was typing: text and caret stay.",
    "thread-given-back": "Given back: what was asked meanwhile is answered by the assistant, with its source and its ticks.",
    "thread-failed": "An answer that Twilio refused, in words, and a button.",
    "topics": "Topics, `/topics`: what the assistant knows, what nobody knew, a box to test a question.",
    "topic-teach": "Teaching what nobody knew; the customer's own wording finds it from then on.",
    "topics-test": "Why a question gets its answer: the topic, the words, the points.",
    "engine": "The engine room, `/engine`, for whoever looks after the box.",
    "settings": "Settings, `/settings`: business, texts, opening hours, people, customers' data.",
    "go-live": "Going live, `/go-live`: the lines to paste at Twilio, and what `check --online` knows.",
    "sign-in": "The door.",
}
REGULARS = {
    "whatsapp:+5511955550101": ("Beatriz Nogueira", "Aceitam Pix?"),
    "whatsapp:+5511955550102": ("Camila Rocha", "Vocês entregam no Jardim América?"),
    "whatsapp:+5511955550106": ("Seu Osvaldo", "Qual é o horário de domingo?"),
}


async def photograph(language: str, width: int, theme: Theme) -> None:
    """One day, a picture at each place that is shown."""
    with tempfile.TemporaryDirectory() as directory:
        async with (
            demo(Path(directory), f"127.0.0.1:{free_port()}") as running,
            aiohttp.ClientSession() as http,
            chromium() as browser,
            window(browser, width, theme) as look,
        ):

            async def seen(name: str) -> None:
                if name in SHOWN:
                    (PICTURES / f"{name}-{width}.png").write_bytes(await look.page.screenshot())

            link = re.search(r"http://\S+/link/\S+", running.printed)
            assert link
            walk = Walk(look, running.appliance, Customers(running.phone, http), True, seen)
            for who, (name, words) in REGULARS.items():
                NAMES[who] = name
                await walk.customers.say(who, words)
                await walk.customers.answered(who, 1)
            await walk.enter(link[0])
            await walk.speak(language)
            for step in (walk.answer_by_hand, walk.be_written_to, walk.give_back, walk.retry, walk.teach, walk.pause):
                await step()
            await walk.leave()
            assert walk.faults == {}


def page(figures: list[str]) -> str:
    parts = ["# The owner's pages", "", *(__doc__ or "").strip().splitlines()[2:], ""]
    for name, words in SHOWN.items():
        phone, desk = (f"![{name}](pages/{name}-{width}.png)" for _, width, _ in (PHONE, DESK))
        parts += [words, "", "| | |", "|---|---|", f"| {phone} | {desk} |", ""]
    parts += ["## What a page costs", ""]
    parts += [
        "The server's time, asked over HTTP on the machine itself, median of 15; both in the same run, so compare them"
    ]
    parts += [
        "with each other. With a million messages the database has 200 a day, and 25,000 customers.",
        "",
        *figures,
    ]
    return "\n".join(parts) + "\n"


async def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    figures = await tables(COUNTS)
    await photograph(*PHONE)
    await photograph(*DESK)
    (DOCS / "pages.md").write_text(page(figures), "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
