"""What nobody knew, by API and command line; who changed a topic; what an import keeps of the figures."""

from tests.support.api_client import api_of
from tests.support.command_line import CommandLine, write_config
from tests.support.world import CUSTOMER, World

SUGAR = "Vocês fazem bolo sem açúcar?"


async def test_listed_and_put_away(world: World) -> None:
    """The API tells the newest wording, how often and by how many; put away it is gone, and twice is the same; what never was is 404."""
    await world.say(SUGAR)
    await world.settle()
    await world.say("BOLO sem acucar, fazem?", "+5511988886666")
    await world.settle()
    async with api_of(world) as api:
        found = (await api.get("unanswered"))["unanswered"]
        assert [(each["question"], each["times"], each["people"]) for each in found] == [
            ("BOLO sem acucar, fazem?", 2, 2)
        ]
        assert (await api.post(f"unanswered/{found[0]['id']}/put-away"))[0] == 200
        assert (await api.get("unanswered"))["unanswered"] == []
        assert (await api.post(f"unanswered/{found[0]['id']}/put-away"))[0] == 200
        status, answer = await api.post("unanswered/999/put-away")
        assert (status, answer["error"]["code"]) == (404, "not_found")


async def test_by_command(world: World) -> None:
    """A line for each, or a sentence; control characters do not reach the terminal."""
    cli = CommandLine(write_config(world.directory / "config.toml", world.config))
    assert "Every question of this week had an answer." in (await cli("knowledge", "unanswered")).output
    await world.say(f"{SUGAR}\x1b[31m")
    await world.settle()

    told = (await cli("knowledge", "unanswered")).output

    assert SUGAR in told and "\x1b" not in told


async def test_an_import_keeps_what_was_answered(world: World) -> None:
    """A heading in other letters is the same topic: its figures go with it, and it says who changed it."""
    await world.teach("Horario", "Das 7h às 19h.")
    await world.say("Qual o horário?")
    await world.settle()
    async with api_of(world) as api:
        status, _ = await api.post("knowledge", {"markdown": "# HORÁRIO\nDas 8h às 18h."})
    assert status == 200
    assert await world.column("SELECT title FROM topic_answers") == ["HORÁRIO"]
    assert await world.column("SELECT changed_by FROM knowledge") == ["api"]


async def test_exported_and_forgotten(world: World) -> None:
    """The question is part of what is held about the customer, and goes with the customer."""
    await world.say(SUGAR)
    await world.settle()
    async with api_of(world) as api:
        _, export = await api.post("contacts/export", {"address": CUSTOMER})
        assert [row["question"] for each in export["person"]["contacts"] for row in each["held"]["unanswered"]] == [
            SUGAR
        ]
        await api.post("contacts/forget", {"address": CUSTOMER})
    await world.settle()
    assert await world.rows("SELECT * FROM unanswered") == []
