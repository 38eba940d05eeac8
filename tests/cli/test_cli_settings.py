"""`org show|set` and `texts list|set|reset`, over the control socket and over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from appliance.operations.organizations import Registration, register_organization
from tests.support.api_client import api_of
from tests.support.command_line import CommandLine, surroundings, write_config
from tests.support.world import World

WEEK = "mon-fri 08:00-12:00,13:00-18:00; sat 09:00-13:00"


@pytest.fixture
async def cli(world: World, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[CommandLine]:
    with surroundings(monkeypatch, world.directory):
        yield CommandLine(write_config(world.directory / "config.toml", world.config))


async def test_an_organization_says_who_it_is(cli: CommandLine, tmp_path: Path) -> None:
    """What is named changes, the rest stays; it is shown as it is written."""
    manner = tmp_path / "manner.txt"
    manner.write_text("Be brief.", "utf-8")
    done = await cli("org", "set", "--contact", "+55 11 4002-8922", "--hours", WEEK, "--instructions", str(manner))
    assert done.exit_code == 0
    assert f"Open:         {WEEK}\n" in done.stdout

    told = await cli.json("org", "show")

    assert told["hours"] == [[["08:00", "12:00"], ["13:00", "18:00"]]] * 5 + [[["09:00", "13:00"]], []]
    assert (told["name"], told["contact"], told["instructions"]) == ("Padaria Aurora", "+55 11 4002-8922", "Be brief.")
    assert (await cli.json("org", "set", "--hours", "always", "--language", "es"))["hours"] == []
    assert (
        "Open:         always\nChannels:     +551140000000, whatsapp:+551140000001\n"
        in (await cli("org", "show")).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["--hours", "sometimes"], 2),
        (["--hours", "mon 8-18"], 2),
        (["--hours", "mon 18:00"], 2),
        (["--hours", "sun-xyz 08:00-12:00"], 2),
        (["--hours", ""], 2),
        (["--timezone", "Mars/Olympus"], 2),
        (["--name", ""], 2),
        (["--name", "Florista"], 1),
        (["--contact", "a\x1b[2J"], 2),
        ([], 2),
    ],
)
async def test_what_no_organization_can_be(cli: CommandLine, world: World, arguments: list[str], status: int) -> None:
    """It is said in a sentence, and nothing changes."""
    second = Registration("Florista", ["+551140000009"], "f@example.com")
    await world.appliance.store.write(lambda tx: register_organization(tx, second))
    before = await world.rows("SELECT * FROM organizations")

    done = await cli("org", "set", "--org", "Padaria Aurora", *arguments)

    assert (done.exit_code, "Open:" in done.stdout) == (status, False)
    assert done.stderr
    assert await world.rows("SELECT * FROM organizations") == before


async def test_texts_in_its_own_words(cli: CommandLine, world: World) -> None:
    """Set, shown, used and reset; without a language it is the organization's."""
    done = await cli("texts", "set", "greeting", "Oi, aqui é {organization}!")
    assert done.stdout.endswith("greeting (pt-BR) reads now: Oi, aqui é Padaria Aurora!\n")
    await world.say("oi")
    await world.settle()
    assert world.sent() == ["Oi, aqui é Padaria Aurora!"]
    listed = (await cli.json("texts", "list", "--language", "pt-BR"))["texts"]
    assert [each["key"] for each in listed if each["is_own"]] == ["greeting"]
    assert len((await cli.json("texts", "list"))["texts"]) == 3 * len(listed)
    assert "own       Oi, aqui é {organization}!\n" in (await cli("texts", "list")).stdout

    assert "reads again: Olá! Aqui é Padaria Aurora" in (await cli("texts", "reset", "greeting")).stdout

    assert await world.column("SELECT * FROM texts") == []
    for arguments in (["set", "greeting", "{name}"], ["set", "nothing", "Oi"], ["reset", "nothing"]):
        refused = await cli("texts", *arguments)
        assert refused.exit_code in (1, 2), arguments
        assert refused.stderr, arguments


async def test_the_api_says_what_it_refuses(world: World) -> None:
    """With a code, a sentence and the field; the other organization is not touched."""
    async with api_of(world) as api:
        for method, path, body, code in (
            ("PATCH", "organization", {"hours": [[]] * 7}, "never_open"),
            ("PATCH", "organization", {"hours": [[]] * 6}, "bad_hours"),
            ("PATCH", "organization", {"hours": [[["08:00", "25:00"]], *[[]] * 6]}, "bad_hours"),
            ("PATCH", "organization", {"hours": [[["08:00", "12:00"], ["11:00", "13:00"]], *[[]] * 6]}, "bad_hours"),
            ("PATCH", "organization", {"hours": [[["08:00", "12:00"]] * 5, *[[]] * 6]}, "bad_hours"),
            ("PATCH", "organization", {"hours": [[["８:00", "12:00"]], *[[]] * 6]}, "bad_hours"),
            ("PATCH", "organization", {"language": "fr"}, "bad_language"),
            ("PATCH", "organization", {"instructions": "x" * 20_001}, "bad_instructions"),
            ("PATCH", "organization", {"contact": "9" * 201}, "bad_contact"),
            ("PATCH", "organization", {"organization": "Nobody"}, "unknown_organization"),
            ("PUT", "texts", {"key": "late", "body": "x" * 400}, "too_long"),
            ("PUT", "texts", {"key": "late", "language": "fr", "body": "x"}, "bad_language"),
            ("DELETE", "texts", None, "bad_text"),
        ):
            status, answer = await api.call(method, path, body)
            assert (400 <= status < 500, answer["error"]["code"]) == (True, code), (path, body)
        assert (await api.get("organization"))["hours"] == []
        whole = [[["00:00", "24:00"]]] * 6 + [[["22:00", "02:00"]]]
        assert (await api.call("PATCH", "organization", {"hours": whole}))[1]["hours"] == whole
