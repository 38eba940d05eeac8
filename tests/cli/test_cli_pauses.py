"""`appliance pause` and `resume`: each scope, until when, in words and in JSON; also while no appliance runs."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.command_line import CommandLine, surroundings, write_config
from tests.support.fake_ai import FakeAi
from tests.support.world import CUSTOMER, World

OTHER = "+5511977776666"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    with surroundings(monkeypatch, tmp_path):
        yield


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Two customers were answered once."""
    async with World(tmp_path, model=FakeAi()) as world:
        await both_say(world, "oi")
        yield world


@pytest.fixture
def appliance(world: World) -> CommandLine:
    return CommandLine(write_config(world.directory / "config.toml", world.config))


async def both_say(world: World, body: str) -> None:
    await world.say(body)
    await world.say(body, OTHER)
    await world.settle()


@pytest.mark.parametrize(
    ("scope", "where", "silent"),
    [
        ((), "until you say: appliance resume", (1, 1)),
        (
            ("--org", "Padaria Aurora"),
            'for organization 1 until you say: appliance resume --org "Padaria Aurora"',
            (1, 1),
        ),
        (("--conversation", CUSTOMER), "in conversation 1 until you say: appliance resume --conversation 1", (1, 2)),
        (("--conversation", "2"), "in conversation 2 until you say: appliance resume --conversation 2", (2, 1)),
    ],
)
async def test_each_scope(
    appliance: CommandLine, world: World, scope: tuple[str, ...], where: str, silent: tuple[int, int]
) -> None:
    """Whom it names gets no answer, until the same words with `resume`."""
    done = await appliance("pause", *scope)
    assert (done.exit_code, done.stdout) == (0, f"Answers are paused {where}.\n")
    await both_say(world, "um")
    assert (len(world.sent()), len(world.sent(OTHER))) == silent

    done = await appliance("resume", *scope)
    await world.settle()
    assert done.exit_code == 0
    assert "answers" in done.stdout
    assert (len(world.sent()), len(world.sent(OTHER))) == (2, 2)


async def test_in_json(appliance: CommandLine, world: World) -> None:
    """What the API says; a second `resume` has nothing to do."""
    begun = await appliance("pause", "--until", "2h", "--json")
    assert begun.exit_code == 0 and '"subject": "box"' in begun.stdout and '"by": "cli"' in begun.stdout
    over = await appliance("resume", "--json")
    assert '"ended": 1' in over.stdout
    assert (await appliance("resume")).stdout == "Nothing was paused.\n"
    assert await world.column("SELECT count(*) FROM pauses WHERE ended_at IS NULL") == [0]


async def test_wrong_usage(appliance: CommandLine) -> None:
    """A time that is none: 2; a conversation that is not there: 1."""
    assert (await appliance("pause", "--until", "soon")).exit_code == 2
    assert (await appliance("pause", "--conversation", " ")).exit_code == 2
    assert (await appliance("pause", "--conversation", "99")).exit_code == 1


async def test_status_says_it_and_is_content(appliance: CommandLine, world: World) -> None:
    """Somebody wants it so: the first line says it, and the exit status is that of the rest."""
    await world.appliance.store.write(lambda tx: tx.sql.run("UPDATE cards SET closed_at = 1"))
    before = await appliance("status")
    await appliance("pause")
    done = await appliance("status")

    assert done.stdout.splitlines()[0] == "Answers are paused until somebody resumes them."
    assert done.exit_code == before.exit_code


async def test_while_it_does_not_run(appliance: CommandLine, world: World) -> None:
    """The pause is there when it starts."""
    await world.stop()
    assert (await appliance("pause")).exit_code == 0
    await world.start()
    await both_say(world, "um")
    assert len(world.sent()) == 1
    await world.stop()
    assert (await appliance("resume")).exit_code == 0
    await world.start()
    await world.settle()

    assert (len(world.sent()), len(world.sent(OTHER))) == (2, 2)
