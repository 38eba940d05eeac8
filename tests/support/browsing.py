"""A real browser that looks hard: errors in its console, what the CSP stops, what does not fit, what axe-core finds."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

CHROMIUM = shutil.which("chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
Theme = Literal["light", "dark"]
HEIGHT = {320: 640, 390: 844, 1280: 900}  # by width
_VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error('CSP: ' + e.violatedDirective))"
_VIOLATED = """() => axe.run({resultTypes: ["violations"]}).then(({violations}) =>
    violations.map(({id, nodes}) => `${id}: ${nodes[0].html.slice(0, 160)}`))"""
_WIDER = """() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const cut = [...document.querySelectorAll(".panel, .btn, input, textarea, select")].find(each => {
        const {left, right} = each.getBoundingClientRect();
        return each.checkVisibility() && (left < 0 || right > innerWidth + 1);
    });
    if (cut) return `beyond the edge: ${cut.outerHTML.slice(0, 100)}`;
    return wide > 0 ? `${wide} px wider than the screen` : null;
}"""


@dataclass
class Look:
    """One browser window; `complaints`: what its console has told so far."""

    page: Page
    context: BrowserContext
    complaints: list[str] = field(default_factory=list)

    async def faults(self) -> list[str]:
        """Of the page as it is now: accessibility, width, console; the console starts afresh."""
        if await self.page.evaluate("typeof axe === 'undefined'"):
            await self.page.evaluate(Axe().axe_script)
        told: list[str] = list(await self.page.evaluate(_VIOLATED))
        wide = await self.page.evaluate(_WIDER)
        told += [wide] if wide else []
        told += self.complaints
        self.complaints.clear()
        return told


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as driver:
        running = await driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        try:
            yield running
        finally:
            await running.close()


@asynccontextmanager
async def window(
    browser: Browser, width: int = 390, theme: Theme = "light", *, script: bool = True, **options: Any
) -> AsyncIterator[Look]:
    """A window of its own, with no cookies."""
    context = await browser.new_context(
        viewport={"width": width, "height": HEIGHT[width]},
        color_scheme=theme,
        java_script_enabled=script,
        reduced_motion="reduce",
        **options,
    )
    if script:
        await context.add_init_script(_VIOLATIONS)
    page = await context.new_page()
    look = Look(page, context)
    page.on(
        "console", lambda m: look.complaints.append(f"console: {m.text}") if m.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: look.complaints.append(f"error: {error}"))
    try:
        yield look
    finally:
        await context.close()
