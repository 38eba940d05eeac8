"""Every state of every page in a real browser: accessible, within the screen, without a word in the console."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser

from tests.support.browsing import CHROMIUM, HEIGHT, Look, Theme, chromium, window
from tests.support.states import SCENES, Scene, State

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: sudo apt install chromium")
WIDTHS = tuple(HEIGHT)
THEMES: tuple[Theme, Theme] = ("light", "dark")
LANGUAGES = ("pt-BR", "en")
REFUSED = "Failed to load resource: the server responded with a status of 4"
STATIC = Path(__file__).parents[3] / "appliance" / "web" / "static"


@asynccontextmanager
async def windows(browser: Browser, scene: Scene) -> AsyncIterator[dict[bool, Look]]:
    """By whether one is signed in."""
    async with AsyncExitStack() as stack:
        found = {each: await stack.enter_async_context(window(browser)) for each in (True, False)}
        (cookie,) = [each for each in scene.visitor.http.cookie_jar if each.key == "session"]
        await found[True].context.add_cookies(
            [{"name": "session", "value": cookie.value, "url": scene.visitor.address}]
        )
        yield found


async def arrive(look: Look, scene: Scene, state: State) -> None:
    await look.page.goto(scene.visitor.address + state.path)
    if state.act:
        await state.act(look.page)
    assert await look.page.locator(state.shows).count(), f"{state.name} does not show {state.shows}"


async def seen(look: Look, state: State, width: int, theme: Theme) -> list[str]:
    """What is wrong at this width and in this light."""
    await look.page.set_viewport_size({"width": width, "height": HEIGHT[width]})
    await look.page.emulate_media(color_scheme=theme)
    return [each for each in await look.faults() if not (state.is_refusal and REFUSED in each)]


def combinations(count: int) -> Iterator[tuple[str, int, Theme]]:
    """Another one for each, and each of them about as often."""
    for number in range(count):
        yield LANGUAGES[number % 2], WIDTHS[number % 3], THEMES[number // 2 % 2]


@pytest.mark.parametrize("name", SCENES)
async def test_each_state_once(tmp_path: Path, name: str) -> None:
    """Languages, widths and light take turns."""
    faults: dict[str, list[str]] = {}
    async with SCENES[name](tmp_path) as scene, chromium() as browser, windows(browser, scene) as looks:
        for state, (language, width, theme) in zip(scene.states, combinations(len(scene.states)), strict=True):
            await scene.speak(language)
            look = looks[state.is_signed_in]
            await arrive(look, scene, state)
            if found := await seen(look, state, width, theme):
                faults[f"{state.name} {language} {width} {theme}"] = found

    assert faults == {}


@pytest.mark.slow
@pytest.mark.parametrize("name", SCENES)
async def test_each_state_in_each_way(tmp_path: Path, name: str) -> None:
    """Two languages, three widths, light and dark."""
    faults: dict[str, list[str]] = {}
    runs = 0
    async with SCENES[name](tmp_path) as scene, chromium() as browser, windows(browser, scene) as looks:
        for language in LANGUAGES:
            await scene.speak(language)
            for state in scene.states:
                look = looks[state.is_signed_in]
                await arrive(look, scene, state)
                for width, theme in [(width, theme) for width in WIDTHS for theme in THEMES]:
                    runs += 1
                    if found := await seen(look, state, width, theme):
                        faults[f"{state.name} {language} {width} {theme}"] = found

    print(f"{name}: {len(scene.states)} states, {runs} runs, {len(faults)} with a fault")
    assert faults == {}


def test_the_size_of_what_every_page_loads() -> None:
    """Style ≤ 22 KB, script ≤ 8 KB."""
    assert (STATIC / "pages.css").stat().st_size <= 22_000
    assert (STATIC / "pages.js").stat().st_size <= 8_000
