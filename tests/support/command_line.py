"""The command line beside a running world: each call in its own thread, as the loop serves what it asks for."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli import main
from appliance.config import Config
from tests.support import logging_state


@contextmanager
def surroundings(monkeypatch: pytest.MonkeyPatch, directory: Path) -> Iterator[None]:
    """No variable of the tester's is in force, the terminal has 80 columns, logging is given back as it was."""
    for name in list(os.environ):
        if name.startswith(("APPLIANCE_", "TWILIO_", "OPENAI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.chdir(directory)
    with logging_state.given_back():
        yield


def write_config(path: Path, config: Config) -> Path:
    """The file that says what these settings say."""
    language = f', language = "{config.server.language}"' if config.server.language else ""
    path.write_text(
        f'server = {{ listen = "{config.server.listen}", public_url = "{config.server.public_url}"{language} }}\n'
        f'storage = {{ directory = "{config.storage.directory}" }}\n'
        f"[twilio]\n"
        f'account_sid = "{config.twilio.account_sid}"\n'
        f"auth_tokens = {json.dumps([str(token) for token in config.twilio.auth_tokens])}\n"
        f'api_url = "{config.twilio.api_url}"\n'
    )
    return path


class CommandLine:
    def __init__(self, path: Path) -> None:
        self.path = path

    def now(self, *arguments: str, text: str | None = None) -> Result:
        """For where no loop of ours must go on."""
        return self.without_a_file("--config", str(self.path), *arguments, text=text)

    def without_a_file(self, *arguments: str, text: str | None = None) -> Result:
        """Where no configuration is named."""
        result = CliRunner().invoke(main, arguments, input=text, prog_name="appliance", catch_exceptions=False)
        assert "Traceback" not in result.stderr
        return result

    async def __call__(self, *arguments: str, text: str | None = None) -> Result:
        return await asyncio.to_thread(self.now, *arguments, text=text)

    async def json(self, *arguments: str) -> Any:
        return json.loads((await self(*arguments, "--json")).stdout)
