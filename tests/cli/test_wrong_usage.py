"""What a command cannot mean is told before anything is asked, with exit status 2."""

from pathlib import Path

import msgspec
import pytest

from appliance.config import Config
from tests.support.command_line import CommandLine, write_config


@pytest.mark.parametrize(
    "arguments",
    [
        ["resume", "--conversation", ""],
        ["resume", "--conversation", ".."],
        ["resume", "--conversation", "9" * 9_000],
        ["dead-letters", "retry", "--", "-1"],
        ["dead-letters", "discard", "9" * 19],
    ],
    ids=lambda arguments: " ".join(arguments)[:40],
)
def test_a_name_that_nothing_can_have(arguments: list[str], tmp_path: Path) -> None:
    """An empty name, a path, a number beyond every row's: not "there is nothing here", as if it might come."""
    replace = msgspec.structs.replace
    config = Config()
    config = replace(config, storage=replace(config.storage, directory=tmp_path / "data"))
    told = CommandLine(write_config(tmp_path / "box.toml", config)).now(*arguments)

    assert (told.exit_code, "Usage:" in told.stderr) == (2, True)
