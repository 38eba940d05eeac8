"""The demo as a visitor meets it: the real command, its real page in a real browser."""

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Page, async_playwright, expect

from appliance.demo import OWN_LINE
from tests.support.browsing import ARGUMENTS, CHROMIUM
from tests.support.world import free_port

PATIENCE = 60  # seconds for a start on a busy machine
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="chromium is missing: sudo apt install chromium")


@dataclass
class Demo:
    """A running demo and what it has printed until it was ready."""

    process: Process
    printed: str

    @property
    def appliance(self) -> str:
        return self.url("Appliance")

    @property
    def phone(self) -> str:
        return self.url("Phone")

    def url(self, name: str) -> str:
        found = re.search(rf"^{name}: +(http://\S+)", self.printed, re.MULTILINE)
        assert found, self.printed
        return found[1]

    async def end(self, number: int = signal.SIGTERM) -> tuple[int | None, str]:
        """Its exit status and what it printed last."""
        self.process.send_signal(number)
        output, _ = await asyncio.wait_for(self.process.communicate(), PATIENCE)
        return self.process.returncode, output.decode()


@asynccontextmanager
async def demo(directory: Path, listen: str, **environment: str) -> AsyncIterator[Demo]:
    """Start the command in the directory; it ends with the block."""
    process = await start(directory, listen, **environment)
    try:
        assert process.stdout is not None
        lines: list[str] = []
        async with asyncio.timeout(PATIENCE):
            while not (lines and lines[-1].startswith("Stop with")):
                lines.append((await process.stdout.readline()).decode())
                assert lines[-1], f"it ended: {lines}"
        yield Demo(process, "".join(lines))
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def start(directory: Path, listen: str, **environment: str) -> Process:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("APPLIANCE_", "SSH_"))}
    return await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "appliance", "demo"),
        cwd=directory,
        env=clean | {"LISTEN": listen, "PYTHONPATH": str(Path(__file__).parents[1])} | environment,
        stdout=PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status


async def text_of(url: str) -> str:
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return await response.text()


@pytest.fixture
async def page() -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield await browser.new_page(viewport={"width": 1280, "height": 800})
        await browser.close()


@in_a_browser
async def test_a_question_gets_the_bakerys_answer_also_after_a_restart(tmp_path: Path, page: Page) -> None:
    """What a visitor writes is answered from the bakery's knowledge and read; the next start goes on from there."""
    listen = f"127.0.0.1:{free_port()}"
    async with demo(tmp_path, listen) as first:
        assert await status_of(first.appliance + "/readyz") == 200
        await page.goto(first.phone)
        await page.get_by_label("Mensagem").fill("Qual é o horário?")
        await page.keyboard.press("Enter")

        await expect(page.locator(".theirs .body")).to_contain_text("segunda a sábado das 6 às 20", timeout=20_000)
        await expect(page.locator(".theirs").get_by_label("Lida")).to_be_visible(timeout=20_000)
        assert await first.end() == (0, "")

    async with demo(tmp_path, listen) as second:
        await page.goto(second.phone)
        await expect(page.locator(".theirs")).to_have_count(1)
        await page.get_by_role("button", name="Vocês entregam?").click()

        await expect(page.locator(".theirs .body").last).to_contain_text("Taxa de entrega", timeout=20_000)
        await expect(page.locator(".theirs").last.get_by_label("Lida")).to_be_visible(timeout=20_000)
        assert await second.end(signal.SIGINT) == (0, "")


@in_a_browser
async def test_every_suggested_question_is_answered(tmp_path: Path, page: Page) -> None:
    """Each question that the phone offers gets an answer from the knowledge, by SMS as well."""
    async with demo(tmp_path, f"127.0.0.1:{free_port()}") as running:
        await page.goto(running.phone)
        await page.get_by_label("Falando com").select_option(label="SMS +551140000000")
        suggestions = page.locator("[data-question]")
        for number in range(await suggestions.count()):
            await suggestions.nth(number).click()
            await expect(page.locator(".theirs .body")).to_have_count(number + 1, timeout=20_000)

        await expect(page.locator(".theirs").last.get_by_label("Entregue")).to_be_visible(timeout=20_000)
        assert "Não tenho essa informação" not in await page.inner_text("#log")
        assert (await running.end())[0] == 0


@in_a_browser
async def test_the_phone_says_why_nobody_answers(tmp_path: Path, page: Page) -> None:
    """Who asked for a person hears nothing from a machine, and a visitor is told so."""
    async with demo(tmp_path, f"127.0.0.1:{free_port()}") as running:
        await page.goto(running.phone)
        await page.get_by_label("Mensagem").fill("ATENDENTE")
        await page.keyboard.press("Enter")
        await expect(page.locator(".theirs .body")).to_contain_text("Uma pessoa responde", timeout=20_000)
        await page.get_by_label("Mensagem").fill("Qual é o horário?")
        await page.keyboard.press("Enter")

        await expect(page.locator(".mine").last).to_contain_text("Sem resposta: pediu uma pessoa", timeout=20_000)
        assert (await running.end())[0] == 0


async def test_what_it_prints(tmp_path: Path) -> None:
    """First its own address, then the phone's, a link that signs in, how to stop; over SSH also how to get there."""
    port = free_port()
    connection = "192.0.2.9 50000 192.0.2.1 2222"
    async with demo(tmp_path, f"127.0.0.1:{port}", SSH_CONNECTION=connection) as running:
        lines = running.printed.splitlines()
        assert "dona@padaria-aurora.example" in await text_of(running.url("Sign in"))
        await running.end()

    assert lines[0] == f"Appliance: http://127.0.0.1:{port}"
    assert lines[1].startswith("Phone:     http://127.0.0.1:")
    assert re.fullmatch(
        rf"Sign in:   http://127\.0\.0\.1:{port}/link/[\w-]{{43}}  \(as the owner; once, within an hour\)", lines[2]
    )
    assert re.search(rf"ssh -L {port}:127\.0\.0\.1:{port} -L \d+:127\.0\.0\.1:\d+ -p 2222 \S+@192\.0\.2\.1$", lines[3])
    assert lines[4] == "Stop with Ctrl-C; the next start goes on from here."


async def test_a_taken_port_and_a_second_demo(tmp_path: Path) -> None:
    """A taken port moves to the next free one and says so; in the same directory a second one is refused."""
    async with AsyncExitStack() as stack:
        taken = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = taken.getsockname()[1]
        running = await stack.enter_async_context(demo(tmp_path, f"127.0.0.1:{port}"))
        second = await start(tmp_path, f"127.0.0.1:{free_port()}")
        output, _ = await second.communicate()
        assert (await running.end())[0] == 0

    assert running.appliance != f"http://127.0.0.1:{port}"
    assert f"(port {port} is taken)" in running.printed
    assert second.returncode == 1
    assert re.fullmatch(
        rf"Another appliance \(process {running.process.pid}\) is using .*; stop it first\.\n", output.decode()
    )


async def test_open_to_the_network(tmp_path: Path) -> None:
    """LISTEN=0.0.0.0 opens both, and shows addresses that another machine can use."""
    async with demo(tmp_path, f"0.0.0.0:{free_port()}") as running:
        assert "0.0.0.0" not in running.printed
        assert await status_of(running.phone) == 200
        assert await status_of(running.appliance + "/readyz") == 200
        assert "dona@padaria-aurora.example" in await text_of(running.url("Sign in"))
        assert (await running.end())[0] == 0


@pytest.mark.parametrize(
    ("listen", "sentence"),
    [
        ("8080", "LISTEN=8080 must be host:port, such as 127.0.0.1:8080"),
        ("192.0.2.1:8080", "Cannot listen on 192.0.2.1:8080: Cannot assign requested address"),
    ],
)
async def test_an_impossible_address(tmp_path: Path, listen: str, sentence: str) -> None:
    """An address that cannot be had is one sentence and exit status 1."""
    process = await start(tmp_path, listen)
    output, _ = await process.communicate()

    assert process.returncode == 1
    assert output.decode().startswith(sentence)
    assert output.count(b"\n") == 1


async def test_what_cannot_be_read_on(tmp_path: Path) -> None:
    """A ledger that is none is one sentence; a spoilt configuration is written anew."""
    data = tmp_path / "demo-data"
    data.mkdir()
    (data / "config.toml").write_text(f"{OWN_LINE}\n[twilio\n")
    (data / "simulator.jsonl").write_text("no ledger\n")
    process = await start(tmp_path, f"127.0.0.1:{free_port()}")
    output, _ = await process.communicate()

    assert process.returncode == 1
    assert output.decode() == f"{data}/simulator.jsonl is not a simulator's ledger; delete it to start afresh.\n"


async def test_a_configuration_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    """The live box's own, by a slip of --directory: neither replaced nor used, and nothing is put beside it."""
    path = tmp_path / "demo-data" / "config.toml"
    path.parent.mkdir()
    path.write_text('[twilio]\nauth_tokens = ["the-real-one"]\n')
    process = await start(tmp_path, f"127.0.0.1:{free_port()}")
    output, _ = await process.communicate()

    assert process.returncode == 1
    assert output.decode() == f"{path} is not of the demo, which would replace it; name another --directory.\n"
    assert path.read_text() == '[twilio]\nauth_tokens = ["the-real-one"]\n'
    assert list(path.parent.iterdir()) == [path]
