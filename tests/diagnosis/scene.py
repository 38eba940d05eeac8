"""A box that is well, looked at from the command line: what a test breaks is all that is found."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from appliance import logs
from appliance.store import backup
from tests.support import logging_state
from tests.support.command_line import CommandLine, write_config
from tests.support.world import World

Findings = dict[str, bool | None]


async def well(world: World) -> None:
    """What a box has besides an organization before it is ready."""
    await world.teach("Horário", "Abrimos às 7h.")
    await backup.take_one(world.config.storage.directory, world.appliance.clock.now())


async def led_to(world: World, public_url: str) -> None:
    """Start the appliance anew with another public URL."""
    await world.stop()
    replace = msgspec.structs.replace
    world.config = replace(world.config, server=replace(world.config.server, public_url=public_url))
    await world.start()


class Checks:
    """`appliance check` with the configuration of a world, whose settings a test may write over."""

    def __init__(self, world: World, path: Path) -> None:
        self.world = world
        self.path = path
        self.line = CommandLine(write_config(path, world.config))

    def write(self, **settings: str) -> None:
        """Other values for keys that the file has, TOML on the right side; more sections at its end."""
        lines = write_config(self.path, self.world.config).read_text().splitlines()
        for name, value in settings.items():
            lines = [f"{name} = {value}" if line.startswith(f"{name} =") else line for line in lines]
        self.path.write_text("\n".join(lines) + "\n")

    async def way_in(self, public_url: str) -> dict[str, Any]:
        """What is found of it where the appliance has this public URL."""
        await led_to(self.world, public_url)
        self.write()
        found = [each for each in await self.told("--online") if each["subject"] == "Public URL"]
        assert len(found) == 1
        return found[0]

    async def told(self, *options: str) -> list[dict[str, Any]]:
        result = await self.line("check", "--json", *options)
        assert result.exit_code in (0, 1), result.stderr
        answer = json.loads(result.stdout)
        findings: list[dict[str, Any]] = answer["findings"]
        assert answer["ok"] is (result.exit_code == 0)
        assert answer["ok"] is all(each["ok"] is not False for each in findings)
        return findings

    async def bad(self, *options: str) -> list[str]:
        """The kinds of what is not well, in their order."""
        return [each["kind"] for each in await self.told("--online", *options) if each["ok"] is False]

    async def one(self, kind: str, *options: str) -> dict[str, Any]:
        """The only finding of a kind."""
        found = [each for each in await self.told("--online", *options) if each["kind"] == kind]
        assert len(found) == 1, (kind, found)
        return found[0]


def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variable of the caller's is in force; the terminal has 100 columns; what is logged is not printed."""
    monkeypatch.setenv("COLUMNS", "100")
    for name in ("NO_COLOR", "SSL_CERT_FILE", "APPLIANCE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    with logging_state.given_back():
        logs.configure("error", "json")
        yield
