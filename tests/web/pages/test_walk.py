"""An owner's day with the real demo in a real browser, in both languages, on a phone and a desk, light and dark."""

import re
from pathlib import Path

import aiohttp
import pytest

from tests.support.browsing import CHROMIUM, Theme, chromium, window
from tests.support.walk import Customers, Walk
from tests.support.world import free_port
from tests.test_demo import demo

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: sudo apt install chromium")
ALWAYS = [("pt-BR", 390, "light", True), ("en", 1280, "dark", True), ("pt-BR", 390, "dark", False)]
ALL = [
    (language, width, theme, True)
    for language in ("pt-BR", "en")
    for width in (390, 1280)
    for theme in ("light", "dark")
]


@pytest.mark.parametrize(
    ("language", "width", "theme", "script"),
    ALWAYS + [pytest.param(*each, marks=pytest.mark.slow) for each in ALL if each not in ALWAYS],
)
async def test_a_day(tmp_path: Path, language: str, width: int, theme: Theme, script: bool) -> None:
    """Link, password, a person waits, reply by hand while the customer writes on, give back, retry, teach, pause."""

    async def seen(_name: str) -> None:
        """Whoever wants pictures takes them here."""

    async with (
        demo(tmp_path, f"127.0.0.1:{free_port()}") as running,
        aiohttp.ClientSession() as http,
        chromium() as browser,
        window(browser, width, theme, script=script) as look,
    ):
        link = re.search(r"http://\S+/link/\S+", running.printed)
        assert link
        walk = Walk(look, running.appliance, Customers(running.phone, http), script, seen)
        await walk.enter(link[0])
        await walk.speak(language)
        await walk.answer_by_hand()
        await walk.be_written_to()
        await walk.give_back()
        await walk.retry()
        await walk.teach()
        await walk.pause()
        await walk.leave()

    assert walk.faults == {}
