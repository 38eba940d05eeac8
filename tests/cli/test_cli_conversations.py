"""`appliance conversations`: who wrote and what was said, for whoever sits at a terminal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, surroundings, write_config
from tests.support.world import CUSTOMER, WHATSAPP, World

FRIEND = "whatsapp:+5511955550133"


@pytest.fixture(autouse=True)
def at_a_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with surroundings(monkeypatch, tmp_path):
        monkeypatch.setenv("COLUMNS", "120")
        yield


@pytest.fixture
async def appliance(world: World, tmp_path: Path) -> CommandLine:
    """Two customers: one was answered, one waits for a person."""
    await world.teach("Horário", "Abrimos das 7h às 19h.")
    await world.say("Qual o horário?")
    await world.say("quero falar com uma pessoa", FRIEND, WHATSAPP, extra={"ProfileName": "João\x1b[31m Lima"})
    await world.settle()
    return CommandLine(write_config(tmp_path / "config.toml", world.config))


async def test_the_list_and_its_filters(appliance: CommandLine) -> None:
    """Who, where, what needs the owner and the last words; filtered and searched; nothing raw reaches the terminal."""
    listed = (await appliance("conversations", "list")).stdout
    assert CUSTOMER in listed and "> Abrimos das 7h" in listed and "waits for you" in listed
    assert "\x1b" not in listed
    waiting = (await appliance("conversations", "list", "--show", "waiting")).stdout
    assert FRIEND in waiting and CUSTOMER not in waiting
    found = await appliance.json("conversations", "list", "--search", "HORARIO")
    assert [each["address"] for each in found["conversations"]] == [CUSTOMER]
    assert (await appliance("conversations", "list", "--show", "trouble")).stdout == "No conversations.\n"
    first = await appliance.json("conversations", "list", "--limit", "1")
    rest = await appliance.json("conversations", "list", "--before", first["older"])
    assert {each["id"] for each in first["conversations"] + rest["conversations"]} == {1, 2}


async def test_what_was_said(appliance: CommandLine) -> None:
    """Both sides in order, with the topic an answer came from and who has the customer now; 1 where there is none."""
    shown = (await appliance("conversations", "show", "1")).stdout
    assert shown.index("Qual o horário?") < shown.index("Abrimos das 7h") and "(topic Horário)" in shown
    assert "The customer asked for a person since" in (await appliance("conversations", "show", "2")).stdout
    assert [each["direction"] for each in (await appliance.json("conversations", "show", "1"))["messages"]] == [
        "in",
        "out",
    ]
    missing = await appliance("conversations", "show", "9")
    assert missing.exit_code == 1 and "There is no such conversation." in missing.output


async def test_taking_over_and_answering_by_hand(appliance: CommandLine, world: World) -> None:
    """From a terminal; the same key is the same message, and what cannot be sent is refused in a sentence."""
    assert "a person answers" in (await appliance("conversations", "take", CUSTOMER)).stdout
    for _ in range(2):
        said = await appliance("conversations", "reply", "1", "Até as 19h.", "--key", "k")
        assert said.exit_code == 0 and "is silent there now" in said.stdout
    await world.settle()
    assert world.sent()[1:] == ["Até as 19h."]
    assert await world.column("SELECT DISTINCT handover_by FROM contacts WHERE id = 1") == ["cli"]
    missing = await appliance("conversations", "take", "9")
    assert missing.exit_code == 1 and "There is no such conversation." in missing.output
    assert (await appliance("conversations", "reply", "1", " ")).exit_code == 2
