"""The command line against a running appliance, and without one."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import logs
from appliance.model import JobKind
from appliance.ports import Dialogue, Permanent, Reply
from appliance.simulator import Fault
from appliance.store import Tx, cards
from appliance.store.cards import BOX, CardKind
from tests.support import logging_state
from tests.support.command_line import CommandLine, write_config
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World

NOBODY = "+551149999999"


class Broken:
    """A responder whose provider refuses everything."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        raise Permanent("wrong key")

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The appliance in this process logs errors only, and not to standard output; the terminal has 80 columns."""
    monkeypatch.setenv("COLUMNS", "80")
    with logging_state.given_back():
        logs.configure("error", "json")
        yield


@pytest.fixture
def appliance(world: World, tmp_path: Path) -> CommandLine:
    """The command line beside a running appliance."""
    return CommandLine(write_config(tmp_path / "config.toml", world.config))


async def cells(appliance: CommandLine, *arguments: str) -> list[list[str]]:
    return [line.split() for line in (await appliance(*arguments)).stdout.splitlines()]


async def test_an_organization_is_registered_and_listed(appliance: CommandLine, world: World, tmp_path: Path) -> None:
    """What was registered is in the lists, with its channels and its instructions."""
    (tmp_path / "told.txt").write_text("Seja breve.", "utf-8")
    options = ["--channel", "+551150000000", "--user", "ana@example.com", "--language", "en", "--timezone", "UTC"]

    made = await appliance(
        "org", "register", "Ana & Filhos", *options, "--instructions", str(tmp_path / "told.txt"), "--password-stdin",
        text="correct horse\n",
    )  # fmt: skip

    assert (made.exit_code, made.stderr) == (0, "")
    assert "Ana & Filhos" in (await appliance("org", "list")).stdout
    assert ["3", "+551150000000", "main", "Ana", "&", "Filhos"] in await cells(appliance, "channel", "list")
    assert [each["name"] for each in (await appliance.json("org", "list"))["organizations"]][1:] == ["Ana & Filhos"]
    (stored,) = await world.rows("SELECT * FROM organizations JOIN users ON organization_id = 2 WHERE name LIKE 'Ana%'")
    assert (stored["instructions"], stored["email"]) == ("Seja breve.", "ana@example.com")
    assert stored["password_hash"].startswith("scrypt$")


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["org", "register", "Padaria Aurora", "--channel", SMS, "--user", "a@b"], 1, "already"),
        (["org", "register", "Nova", "--channel", "abc", "--user", "a@b"], 2, "not an address"),
        (["org", "register", "Nova", "--user", "a@b"], 2, "--channel"),
        (["channel", "add", SMS], 1, "already"),
        (["knowledge", "test", "oi", "--org", "Ninguém"], 1, "no such organization"),
        (["send", "--from", "+15550000000", "--to", CUSTOMER, "oi"], 2, "not a channel"),
        (["send", "--from", SMS[1:], "--to", CUSTOMER, "oi"], 2, f"Write {SMS}."),
        (
            ["send", "--from", SMS, "--to", CUSTOMER[1:], "oi"],
            2,
            f"lacks the + before the country code; write {CUSTOMER}.",
        ),
        (["send", "--from", WHATSAPP, "--to", f"whatsapp:{CUSTOMER[1:]}", "oi"], 2, f"write whatsapp:{CUSTOMER}."),
        (["send", "--from", SMS, "--to", f"whatsapp:{CUSTOMER}", "oi"], 2, "of the same kind"),
        (["simulate", "--from", CUSTOMER, "--to", WHATSAPP, "oi"], 2, f"write --from whatsapp:{CUSTOMER}."),
        (["simulate", "--from", f"whatsapp:{CUSTOMER}", "--to", SMS, "oi"], 2, f"write --from {CUSTOMER}."),
        (["simulate", "--from", CUSTOMER[1:], "--to", SMS, "oi"], 2, f"write {CUSTOMER}."),
        (["simulate", "--from", CUSTOMER, "--to", SMS[1:], "--live", "oi"], 2, f"write {SMS}."),
        (["channel", "remove", "+15550000000"], 1, "no channel +15550000000"),
        (["knowledge", "remove", "Nada"], 1, "no topic “Nada”"),
        (["send", "--from", SMS, "--to", CUSTOMER, "x" * 1601], 2, "1601 of at most 1600"),
        (["dead-letters", "retry", "99"], 1, "no such dead letter"),
        (["dead-letters", "discard"], 2, "--all"),
        (["dead-letters", "retry", "1", "--all"], 2, "--all"),
        (["simulate", "--from", CUSTOMER, "--to", SMS], 2, "TEXT"),
        (["frobnicate"], 2, "No such command"),
    ],
)
async def test_what_cannot_be_done_is_one_sentence(
    appliance: CommandLine, arguments: list[str], status: int, words: str
) -> None:
    """On standard error, with the status that tells wrong usage from a refusal."""
    result = await appliance(*arguments)

    assert (result.exit_code, result.stdout) == (status, "")
    assert words in result.stderr.splitlines()[-1]


async def test_with_several_organizations_one_is_chosen(appliance: CommandLine) -> None:
    """Without --org the refusal says what to add."""
    await appliance("org", "register", "Outra", "--channel", "+551150000000", "--user", "a@b")

    refused = await appliance("channel", "add", "+551150000001")
    done = await appliance("channel", "add", "+551150000001", "--org", "Outra")

    assert (refused.exit_code, "--org" in refused.stderr) == (2, True)
    assert done.exit_code == 0
    assert ["4", "+551150000001", "main", "Outra"] in await cells(appliance, "channel", "list")


async def test_knowledge_is_imported_listed_and_tried(appliance: CommandLine, tmp_path: Path) -> None:
    """A question that a topic answers exits with 0, another with 1."""
    (tmp_path / "k.md").write_text("# Horário\nAbrimos às 7h.\n# Entrega\n" + "Entregamos no bairro. " * 9, "utf-8")

    imported = await appliance("knowledge", "import", str(tmp_path / "k.md"))
    found = await appliance("knowledge", "test", "Qual o horário?")
    missed = await appliance("knowledge", "test", "Vendem pneus?")

    assert imported.stdout.splitlines() == ["Imported 2 topics:", "  Horário", "  Entrega"]
    asked, topic, scores, reply = found.stdout.splitlines()
    assert (found.exit_code, asked) == (0, "Asked  the offline FAQ (ai.provider = faq)")
    assert (topic, reply) == ("Topic  Horário (100%)", "Reply  Abrimos às 7h.")
    assert re.fullmatch(r"Scores 100% of the question, +\d+% alike: Horário", scores)
    assert (missed.exit_code, missed.stdout.splitlines()[1]) == (1, "Topic  none answers it")
    lines = (await appliance("knowledge", "list")).stdout.splitlines()
    assert lines[1] == "Horário  Abrimos às 7h."
    assert (len(lines[2]), lines[2][-1]) == (80, "…")


async def test_a_topic_has_other_names(appliance: CommandLine, tmp_path: Path) -> None:
    """They are added, listed, found and taken away; a question between topics is offered a menu."""
    (tmp_path / "k.md").write_text("# Conexão\nSenha no balcão.\n# Encadernação\nCapa dura e espiral.\n", "utf-8")
    await appliance("knowledge", "import", str(tmp_path / "k.md"))

    added = await appliance("knowledge", "alias", "conexao", "wi-fi", "rede sem fio")
    listed = (await appliance("knowledge", "list")).stdout.splitlines()
    found = await appliance("knowledge", "test", "como entro na rede sem fio?")
    menu = await appliance("knowledge", "test", "encadernam uma apostila?")
    removed = await appliance("knowledge", "alias", "Conexão", "WI FI", "Rede sem fio", "--remove")
    as_json = await appliance("knowledge", "alias", "Conexão", "net", "--json")
    unknown = await appliance("knowledge", "alias", "Pix", "x")

    assert added.stdout == "Conexão: also wi-fi, rede sem fio\n"
    assert listed[0].split() == ["TOPIC", "ALSO", "TEXT"]
    assert "wi-fi, rede sem fio" in listed[1]
    assert (found.exit_code, found.stdout.splitlines()[-1]) == (0, "Reply  Senha no balcão.")
    assert (menu.exit_code, menu.stdout.splitlines()[1]) == (1, "Topic  not sure, a menu is offered")
    assert menu.stdout.splitlines()[-1] == "       1) Encadernação"
    assert removed.stdout == "Conexão: no other name\n"
    assert '"net"' in as_json.stdout
    assert (unknown.exit_code, "There is no topic “Pix”" in unknown.stderr) == (1, True)


async def test_a_heading_in_other_letters_replaces_the_topic(appliance: CommandLine, tmp_path: Path) -> None:
    """An owner corrects a price under PROMOÇÃO; what stood under Promoção and Promocao is gone."""
    for text in ("# Promoção\nBolo a R$ 30.", "# Promocao\nBolo a R$ 40.", "# PROMOÇÃO\nBolo a R$ 50."):
        (tmp_path / "k.md").write_text(text, "utf-8")
        await appliance("knowledge", "import", str(tmp_path / "k.md"))

    assert [line for line in (await appliance("knowledge", "list")).stdout.splitlines() if "Bolo" in line] == [
        "PROMOÇÃO  Bolo a R$ 50."
    ]


async def test_a_file_that_is_no_knowledge_says_where(appliance: CommandLine, tmp_path: Path) -> None:
    """The line's number for what is not understood; bytes that are no text are refused before they are sent."""
    (tmp_path / "k.md").write_text("# Horário\nAbrimos às 7h.\n# Horário\nNunca.\n", "utf-8")
    (tmp_path / "k.bin").write_bytes(b"\xff\xfe\x00")

    twice = await appliance("knowledge", "import", str(tmp_path / "k.md"))
    binary = await appliance("knowledge", "import", str(tmp_path / "k.bin"))

    assert (twice.exit_code, twice.stderr) == (2, "line 3: “Horário” is already a heading in line 1\n")
    assert (binary.exit_code, binary.stderr) == (1, "k.bin must be UTF-8 text.\n")


async def test_a_message_is_sent_once_per_key(appliance: CommandLine, world: World) -> None:
    """The final state is printed; the same key sends nothing more, and with another text it is refused."""
    options = ["send", "--from", SMS, "--to", CUSTOMER, "--idempotency-key", "k1"]

    first = await appliance(*options, "Olá!")
    again = await appliance(*options, "Olá!")
    other = await appliance(*options, "Tchau!")

    assert (first.exit_code, again.exit_code, other.exit_code) == (0, 0, 1)
    assert first.stdout.startswith("Message 1: ")
    assert world.sent() == ["Olá!"]


async def test_a_message_that_a_rule_holds_back_exits_with_1(appliance: CommandLine, world: World) -> None:
    """Nobody wrote to the WhatsApp channel: its window is closed, and the reason is printed."""
    result = await appliance("send", "--from", WHATSAPP, "--to", f"whatsapp:{CUSTOMER}", "Olá!")

    assert (result.exit_code, world.sent()) == (1, [])
    assert result.stdout.startswith("Message 1: suppressed (")


@pytest.mark.parametrize("live", [[], ["--live"]])
async def test_a_customer_is_simulated(appliance: CommandLine, world: World, live: list[str]) -> None:
    """The answer is printed, whether the message came by the simulator or by a webhook that we signed."""
    await world.appliance.store.write(lambda tx: tx.knowledge.put(1, "Horário", "Abrimos às 7h."))

    result = await appliance("simulate", "--from", CUSTOMER, "--to", SMS, *live, "Qual o horário?")

    assert (result.exit_code, result.stdout) == (0, "Abrimos às 7h.\n")
    assert world.sent() == ["Abrimos às 7h."]


async def test_an_unanswered_simulation_exits_with_1(appliance: CommandLine) -> None:
    """Nobody answers in time where everything waits a while for more."""
    result = await appliance("simulate", "--from", CUSTOMER, "--to", SMS, "--wait", "0", "Oi")

    assert (result.exit_code, result.stderr) == (1, "No answer within 0 s.\n")


async def test_orphans_are_shown_without_their_control_characters(appliance: CommandLine, world: World) -> None:
    """What a stranger wrote cannot move the owner's cursor."""
    assert (await appliance("orphans")).stdout == "No orphaned messages.\n"

    await world.twilio.receive(CUSTOMER, NOBODY, "Oi\x1b[2J\r\n\u202epots\x9b1m")

    text = (await appliance("orphans")).stdout
    assert "Oi\\x1b[2J \\u202epots\\x9b1m" in text
    assert all(line.isprintable() for line in text.splitlines())
    assert (await appliance.json("orphans"))["orphans"][0]["to"] == NOBODY


async def test_status_exits_with_1_while_something_needs_a_look(appliance: CommandLine, world: World) -> None:
    """Plain words within 80 columns and to the last one; as JSON it is the API's answer."""
    well = await appliance("status")
    await world.twilio.receive(CUSTOMER, NOBODY, "Oi")
    what = " ".join(f"{number} things to do." for number in range(20))
    await world.appliance.store.write(lambda tx: tx.cards.open(CardKind.BACKUP, BOX, said=what))

    ill = await appliance("status")

    assert (well.exit_code, ill.exit_code) == (0, 1)
    assert well.stdout.startswith("All is well.\n")
    assert ill.stdout.startswith("2 things need a look.\n")
    assert max(map(len, ill.stdout.splitlines())) <= 80
    assert what in " ".join(ill.stdout.split())
    assert (await appliance.json("status"))["messages"]["orphaned"] == 1


async def test_lists_that_are_cut_say_so(appliance: CommandLine, world: World) -> None:
    """An owner with hundreds of cards or dead letters does not take the newest ones for all."""

    def many(tx: Tx) -> None:
        for number in range(600):
            tx.cards.open(CardKind.NOT_SENT, cards.reply(number), who="…4321", why="it waited too long")
            tx.jobs.bury(JobKind.SEND, None, "refused", None)

    await world.appliance.store.write(many)

    assert (await appliance("status")).stdout.endswith("\n… and 590 more.\n")
    assert "These are the newest 500;" in (await appliance("dead-letters", "list")).stdout


async def test_dead_letters_are_listed_retried_and_discarded(tmp_path: Path) -> None:
    """A retry of what still fails dies again; what a person answered is refused with the reason."""
    async with World(tmp_path, responder=Broken()) as world:
        appliance = CommandLine(write_config(tmp_path / "config.toml", world.config))
        await world.twilio.receive(CUSTOMER, SMS, "Qual o horário?")
        await world.settle()
        (letter,) = (await appliance.json("dead-letters", "list"))["dead_letters"]

        retried = await appliance("jobs", "retry", str(letter["id"]))
        await world.settle()
        listed = await appliance("dead-letters", "list")
        await appliance("send", "--from", SMS, "--to", CUSTOMER, "Das 7h às 19h.")
        refused = await appliance("dead-letters", "retry", "--all")
        discarded = await appliance("dead-letters", "discard", "--all")

        assert (retried.exit_code, retried.stdout) == (0, "1 to be tried again.\n")
        assert CUSTOMER in listed.stdout
        assert (refused.exit_code, "refused: " in refused.stdout) == (1, True)
        assert (discarded.exit_code, discarded.stdout) == (0, "1 discarded.\n")
        assert (await appliance("jobs", "list")).stdout == "No dead letters.\n"


async def test_verify_and_check_and_tick_are_well(appliance: CommandLine, world: World) -> None:
    """Beside a running appliance, with exit status 0; tick is silent, as cron wants it."""
    await world.teach("Horário", "Abrimos às 7h.")
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.settle()

    verified, checked, ticked = [await appliance(name) for name in ("verify", "check", "tick")]

    assert [result.exit_code for result in (verified, checked, ticked)] == [0, 0, 0]
    assert "accounted for" in verified.stdout
    assert [line.split()[:2] for line in checked.stdout.splitlines()] == [
        ["✓", "Configuration"],
        ["✓", "Account"],
        ["✓", "Database"],
        ["✓", "Organization"],
        [],
        ["All", "is"],
    ]
    assert ticked.stdout == ""


async def test_verify_and_check_say_what_is_wrong(appliance: CommandLine, world: World) -> None:
    """A message that nothing will ever answer is a problem, with exit status 1."""
    await world.twilio.receive(CUSTOMER, SMS, "Oi")
    await world.settle()
    await world.appliance.store.write(
        lambda tx: tx.sql.run("UPDATE messages SET reply_id = NULL, suppressed = NULL, card_id = NULL")
    )

    verified, checked = [await appliance(name) for name in ("verify", "check")]

    assert (verified.exit_code, checked.exit_code) == (1, 1)
    assert "nothing will answer" in verified.stdout
    assert "nothing will answer" in checked.stdout


async def test_a_customer_is_handed_back(appliance: CommandLine, world: World) -> None:
    """By address or by id; while Twilio's log cannot be read it waits, with exit status 1."""
    await world.say("ATENDENTE")
    await world.settle()

    done = await appliance("resume", "--conversation", CUSTOMER)
    again = await appliance.json("resume", "--conversation", "1")
    nobody = await appliance("resume", "--conversation", NOBODY)

    assert (done.exit_code, done.stdout) == (0, "Conversation 1: the appliance answers.\n")
    assert again == {"id": 1, "state": "automatic", "running": True}
    assert (nobody.exit_code, nobody.stderr) == (1, "There is no such conversation.\n")
    assert await world.column("SELECT status FROM conversations") == ["progress"]


async def test_a_customer_waits_where_twilios_log_cannot_be_read(
    appliance: CommandLine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits is said, and so is what it waits for."""
    monkeypatch.setattr("appliance.cli.pauses.PATIENCE", 0.5)
    await world.say("ATENDENTE")
    await world.settle()
    world.twilio.faults.add(Fault("list", "error", status=403, code=20008, times=None))

    waits = await appliance("resume", "--conversation", "1")

    assert (waits.exit_code, waits.stdout) == (1, "Conversation 1: waiting (Twilio's log is read first)\n")
    assert await world.cards() == ["waiting", "hand_back"]
