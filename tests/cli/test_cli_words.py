"""What an owner tries at the command line: topics that go, who was asked, why nobody answers."""

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance import logs
from appliance.ports import Permanent
from tests.support import logging_state
from tests.support.command_line import CommandLine, write_config
from tests.support.fake_ai import FakeAi
from tests.support.shop import Moody
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World

FILE = "# Horário\nAbrimos às 7h.\n# Entrega\nNo bairro.\n# Formas de pagamento\nPix.\n"


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("COLUMNS", "80")
    with logging_state.given_back():
        logs.configure("error", "json")
        yield


@pytest.fixture
def appliance(world: World, tmp_path: Path) -> CommandLine:
    return CommandLine(write_config(tmp_path / "config.toml", world.config))


@pytest.fixture
async def modelled(tmp_path: Path) -> AsyncIterator[CommandLine]:
    """The command line beside an appliance whose customers a model answers."""
    async with World(tmp_path, model=FakeAi()) as world:
        await world.teach("Horário", "Abrimos às 7h.")
        yield CommandLine(write_config(tmp_path / "config.toml", world.config))


async def import_(appliance: CommandLine, text: str, *options: str) -> list[str]:
    path = appliance.path.with_name("k.md")
    path.write_text(text, "utf-8")
    return (await appliance("knowledge", "import", *options, str(path))).stdout.splitlines()


async def topics(appliance: CommandLine) -> list[str]:
    return [each["title"] for each in (await appliance.json("knowledge", "list"))["topics"]]


async def test_a_topic_is_removed_whatever_its_case_and_accents(appliance: CommandLine) -> None:
    """It answers no more; what is nearly named is told."""
    await import_(appliance, FILE)

    removed = await appliance("knowledge", "remove", "HORARIO")
    near = await appliance("knowledge", "remove", "Entregas")
    asked = await appliance("knowledge", "test", "Qual o horário?")

    assert (removed.exit_code, removed.stdout) == (0, "Removed Horário.\n")
    assert (near.exit_code, near.stderr) == (1, "There is no topic “Entregas”. Did you mean “Entrega”?\n")
    assert asked.exit_code == 1
    assert await topics(appliance) == ["Entrega", "Formas de pagamento"]


async def test_a_renamed_heading_leaves_nothing_behind_with_replace(appliance: CommandLine) -> None:
    """Without it the old one is named, as it still answers."""
    await import_(appliance, FILE)
    renamed = FILE.replace("# Horário\nAbrimos às 7h.", "# Funcionamento\nAbrimos às 8h.")

    kept = await import_(appliance, renamed)
    replaced = await import_(appliance, renamed, "--replace")

    assert kept[-2:] == ["Not in the file, and still answering (--replace removes them):", "  Horário"]
    assert replaced[-2:] == ["Removed:", "  Horário"]
    assert await topics(appliance) == ["Entrega", "Formas de pagamento", "Funcionamento"]


async def test_a_file_with_a_fault_replaces_nothing(appliance: CommandLine) -> None:
    """All of it or nothing."""
    await import_(appliance, FILE)

    await import_(appliance, "# Novo\nSim.\n# Novo\nNão.\n", "--replace")

    assert await topics(appliance) == ["Horário", "Entrega", "Formas de pagamento"]


async def test_another_organizations_topics_stay(appliance: CommandLine) -> None:
    """Replacing and removing are about one organization."""
    await import_(appliance, FILE)
    await appliance("org", "register", "Outra", "--channel", "+551150000000", "--user", "a@b")
    await import_(appliance, "# Horário\nNunca.\n", "--org", "Outra", "--replace")

    gone = await appliance("knowledge", "remove", "Horário", "--org", "Outra")

    assert gone.exit_code == 0
    assert (await appliance.json("knowledge", "list", "--org", "Padaria Aurora"))["topics"][0][
        "body"
    ] == "Abrimos às 7h."


async def test_the_faq_says_how_every_topic_fared(appliance: CommandLine) -> None:
    """Best first, and who was asked."""
    await import_(appliance, FILE + "# Horário de feriados\nFechado.\n")

    lines = (await appliance("knowledge", "test", "Qual o horário?")).stdout.splitlines()

    assert lines[0] == "Asked  the offline FAQ (ai.provider = faq)"
    assert lines[1] == "Topic  Horário (100%)"
    assert re.fullmatch(r"Scores 100% of the question, +\d+% alike: Horário", lines[2])
    assert re.fullmatch(r" +\d+% of the question, +\d+% alike: Horário de feriados", lines[3])


async def test_with_a_model_the_model_is_asked(modelled: CommandLine) -> None:
    """It is what a customer hears; the topics' scores are what it is shown."""
    result = await modelled("knowledge", "test", "Qual o horário?")

    assert result.exit_code == 0
    asked, scores, reply = result.stdout.splitlines()
    assert asked == "Asked  the model fake (ai.provider = llm)"
    assert re.fullmatch(r"Scores 100% of the question, +\d+% alike: Horário", scores)
    assert reply == "Reply  You asked: Qual o horário?"


async def test_a_model_that_fails_is_said(tmp_path: Path) -> None:
    """The reason stands where its words would."""
    broken = Moody(fault=Permanent("wrong key"))
    ai = {"provider": "llm", "base_url": "http://127.0.0.1:9/v1", "model": "m-1"}
    async with World(tmp_path, responder=broken, ai=ai) as world:
        result = await CommandLine(write_config(tmp_path / "config.toml", world.config))("knowledge", "test", "Oi?")

    assert result.exit_code == 1
    assert result.stdout.splitlines() == ["Asked  the model m-1 (ai.provider = llm)", "Reply  none: wrong key"]


async def test_a_channel_is_removed_by_force_alone_while_it_is_used(appliance: CommandLine, world: World) -> None:
    """The refusal counts what is open; afterwards it says what became of it."""
    await world.say("ATENDENTE")
    await world.settle()
    await world.say("É urgente!")
    await world.settle()

    refused = await appliance("channel", "remove", SMS)
    done = await appliance("channel", "remove", SMS, "--force")
    again = await appliance("channel", "remove", SMS, "--force")

    assert (refused.exit_code, again.exit_code) == (1, 1)
    assert refused.stderr.startswith(
        f"{SMS} is in use: open conversations: 1, messages without an answer: 1, customers who "
    )
    assert (done.exit_code, done.stdout.splitlines()) == (
        0,
        [
            f"Removed {SMS}.",
            "Conversations closed: 1. Messages and replies among the dead letters: 1.",
            "Still waiting for a person: …7777",
        ],
    )
    assert len((await appliance.json("dead-letters", "list"))["dead_letters"]) == 1
    assert await appliance.json("channel", "remove", WHATSAPP) == {
        "address": WHATSAPP,
        "conversations": 0,
        "messages": 0,
        "replies": 0,
        "persons": [],
    }


@pytest.mark.parametrize("live", [[], ["--live"]])
@pytest.mark.parametrize(
    ("before", "said", "words"),
    [
        ("ATENDENTE", "Qual o horário?", "asked for a person: nobody answers by machine"),
        ("", "👍", "only emoji: no answer is wanted"),
        ("", "Curtiu “Olá”", "a reaction: no answer is wanted"),
        ("Oi", "obrigado!", "thanks or a goodbye: no answer is wanted"),
        ("", "HELP", "Twilio answers this word by itself"),
    ],
)
async def test_a_simulated_customer_hears_why_nobody_answers(
    appliance: CommandLine, world: World, live: list[str], before: str, said: str, words: str
) -> None:
    """At once, from what is stored, and not by waiting for half a minute."""
    if before:
        await world.say(before)
        await world.settle()

    result = await appliance("simulate", "--from", CUSTOMER, "--to", SMS, *live, said)

    if said != "HELP" or live:  # the simulated Twilio answers it
        assert (result.exit_code, result.stderr) == (1, f"No answer: {words}\n")


async def test_a_number_of_nobodys_says_so(appliance: CommandLine) -> None:
    """An orphan is never answered."""
    result = await appliance("simulate", "--from", CUSTOMER, "--to", "+551149999999", "Oi")

    assert (result.exit_code, result.stderr) == (
        1,
        "No answer: no organization here has this number (unknown number)\n",
    )


async def test_a_person_who_has_answered_is_the_reason(appliance: CommandLine, world: World) -> None:
    """Asked for first, then there."""
    await world.say("ATENDENTE", f"whatsapp:{CUSTOMER}", WHATSAPP)
    await world.settle()
    await appliance("send", "--from", WHATSAPP, "--to", f"whatsapp:{CUSTOMER}", "Aqui é a Ana.")
    await world.settle()

    result = await appliance("simulate", "--from", f"whatsapp:{CUSTOMER}", "--to", WHATSAPP, "E o bolo?")

    assert result.stderr == "No answer: a person has answered: nobody answers by machine\n"


async def test_what_could_not_be_answered_says_so(tmp_path: Path) -> None:
    """A model that fails answers with the friendly text; a loop guard is silent, and its reason is told."""
    async with World(tmp_path, conversations={"max_replies_per_hour": 1}) as world:
        appliance = CommandLine(write_config(tmp_path / "config.toml", world.config))
        first = await appliance("simulate", "--from", CUSTOMER, "--to", SMS, "Oi")
        second = await appliance("simulate", "--from", CUSTOMER, "--to", SMS, "Vendem pneus?")

    assert first.exit_code == 0
    assert "too many answers within an hour" in second.stderr
