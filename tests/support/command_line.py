"""The command line beside a running world: each call in its own thread, as the loop serves what it asks for."""

import asyncio
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from appliance.cli import main
from appliance.config import Config


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
