"""By keyboard alone: everything is reached, in its order, and is seen to be; menus open and close; answers are sent."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.support.browsing import CHROMIUM, HEIGHT, Look, chromium
from tests.support.states import SCENES, Scene, State, thread_of
from tests.web.pages.test_states import arrive, windows
from tests.web.pages.threads_scene import RAFAEL

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: sudo apt install chromium")
ALWAYS = {"home", "home-dismiss", "conversations", "thread-paused", "thread-undelivered", "topics-unknown", "topic-new",
          "engine", "go-live", "settings-forget"}  # fmt: skip
MOST = 400  # presses of a key on one page
# What can be used, in the page's order; `stops` are told by their place in it.
STOPS = """() => {
    window.stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex='0']")]
        .filter(it => it.checkVisibility({visibilityProperty: true}) && !it.disabled && it.type !== "hidden");
    document.body.tabIndex = -1; // Tab begins above everything, wherever one was
    document.body.focus();
    document.body.removeAttribute("tabindex");
    return window.stops.map(it => it.outerHTML.slice(0, 100));
}"""
# Where the focus is: its place; whether one sees it: not without an outline, not below something that lies above it.
QUIET = "window.EventSource = class { addEventListener() {} close() {} }"  # nothing is replaced under way
PLACE = """() => {
    const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
    if (it === document.body) return null;
    const x = box.x + Math.min(box.width, innerWidth) / 2, y = Math.max(box.y, 0) + 1;
    const ends = [y + 1, Math.min(box.bottom, innerHeight) - 3].map(each => document.elementFromPoint(x, each));
    const hidden = !ends.some(top =>
        top && (it.contains(top) || top.contains(it) || top.closest("label")?.control === it));
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
    return {place: window.stops.indexOf(it), fault: outlined ? hidden ? "is hidden" : "" : "has no outline"};
}"""


async def walked(page: Page) -> tuple[list[str], list[dict[str, Any]]]:
    """What can be used, and where Tab goes until it has left the page or is at its beginning again."""
    expected: list[str] = await page.evaluate(STOPS)
    found: list[dict[str, Any]] = []
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        place = await page.evaluate(PLACE)
        if place is None or (found and place == found[0]):
            break
        if place["place"] >= 0 and found[-1:] != [place]:  # a time has a stop for its hours and one for its minutes
            found.append(place)
    return expected, found


async def unreached(look: Look) -> list[str]:
    """What is wrong with the way through the page."""
    expected, found = await walked(look.page)
    order = [each["place"] for each in found]
    told = [f"{expected[each['place']]} {each['fault']}" for each in found if each["fault"]]
    told += [f"{each} is not reached" for number, each in enumerate(expected) if number not in order]
    return told + ([f"out of order: {order}"] if sorted(set(order)) != order else [])


@pytest.mark.parametrize("name", ["day", *(pytest.param(name, marks=pytest.mark.slow) for name in SCENES)])
async def test_tab_reaches_everything(tmp_path: Path, request: pytest.FixtureRequest, name: str) -> None:
    """On a phone with a keyboard and on a desk, in turns."""
    every = any(mark.name == "slow" for mark in request.node.own_markers)
    faults: dict[str, list[str]] = {}
    async with SCENES[name](tmp_path) as scene, chromium() as browser, windows(browser, scene) as looks:
        for look in looks.values():
            await look.context.add_init_script(QUIET)
        for number, state in enumerate(state for state in scene.states if every or state.name in ALWAYS):
            look = looks[state.is_signed_in]
            width = (390, 1280)[number % 2]
            await look.page.set_viewport_size({"width": width, "height": HEIGHT[width]})
            await arrive(look, scene, state)
            if found := await unreached(look):
                faults[f"{state.name} {width}"] = found

    assert faults == {}, faults


@pytest.fixture
async def thread(tmp_path: Path) -> AsyncIterator[tuple[Scene, Page]]:
    """A customer's page, on a desk."""
    async with SCENES["day"](tmp_path) as scene, chromium() as browser, windows(browser, scene) as looks:
        page = looks[True].page
        await page.set_viewport_size({"width": 1280, "height": 900})
        path = await thread_of(scene.world, RAFAEL)
        await arrive(looks[True], scene, State("thread", path))
        yield scene, page


async def test_menus_the_skip_link_and_an_answer(thread: tuple[Scene, Page]) -> None:
    """Enter and Space open a menu, Escape closes it and the focus is on its button, as does who leaves it; Ctrl+Enter
    sends what was written.
    """
    scene, page = thread
    focused = "document.activeElement.id || document.activeElement.parentElement.id"
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.evaluate(focused) == "main"

    menu = page.locator("#pause")
    for key in ("Enter", "Space"):
        await menu.locator("> summary").focus()
        await page.keyboard.press(key)
        assert await menu.locator("button").first.is_visible()
        await page.keyboard.press("Tab")
        assert await menu.locator("button").first.is_visible()
        await page.keyboard.press("Escape")
        assert not await menu.locator("button").first.is_visible()
        assert await page.evaluate(focused) == "pause"
    await page.keyboard.press("Enter")
    await page.keyboard.press("Shift+Tab")
    assert not await menu.locator("button").first.is_visible()

    await page.locator("#reply").focus()
    await page.keyboard.type("Entregamos, sim.")
    async with page.expect_navigation():
        await page.keyboard.press("Control+Enter")
    await scene.world.settle()
    assert scene.world.sent(RAFAEL)[-1:] == ["Entregamos, sim."]
