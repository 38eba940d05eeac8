"""`status` and `check` in the owner's language: server.language, else the first organization's."""

import json
import re
import string
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from appliance.diagnosis import words
from appliance.model import HOUR
from appliance.notices.sentences import Reader
from appliance.notices.translation import translation
from appliance.operations import lines, verdict
from appliance.simulator.settings import WELCOME, Setting
from appliance.store.cards import BOX, CardKind
from tests.diagnosis.scene import plain, well
from tests.notices.constants import constants
from tests.support.command_line import CommandLine, write_config
from tests.support.world import SMS, World


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    yield from plain(monkeypatch)


@pytest.fixture
async def padaria(tmp_path: Path) -> AsyncIterator[World]:
    """Nothing says the box's language but that of its organization, pt-BR."""
    async with World(tmp_path, server={"language": None}) as running:
        await well(running)
        yield running


def appliance(world: World) -> CommandLine:
    return CommandLine(write_config(world.directory / "config.toml", world.config))


def english_in(shown: str) -> set[str]:
    """The sentences of `status` and `check` that are shown as they are in the code, whatever their values."""
    told, text = translation("pt-BR"), " ".join(shown.split())
    every = set(words.sentences()).difference(words.FIELDS)  # Twilio's names, which a sentence may have too
    pairs = []
    for each in (*constants(verdict), *constants(lines)):
        if isinstance(each, str):
            every.add(each)
        else:
            pairs.append(each)
    known = {each for each in every if told.gettext(each) != each}.union(*pairs)
    return {each for each in known if re.search(pattern(each), text)}


def pattern(sentence: str) -> str:
    parts = (
        re.escape(text) + (r"\S.*?" if name is not None else "")
        for text, name, *_ in string.Formatter().parse(sentence)
    )
    return rf"(?<!\w){''.join(parts)}(?!\w)"


async def test_status_is_portuguese(padaria: World) -> None:
    """Well, and with all that it can tell; the same box in English has many English sentences."""
    line = appliance(padaria)
    await padaria.say("Qual o horário?")
    await padaria.settle()
    calm = await line("status")
    await padaria.appliance.store.write(lambda tx: tx.cards.open(CardKind.SENT_TWICE, BOX, who="…4321"))
    await padaria.say("ATENDENTE")
    await padaria.settle()
    busy = await line("status")
    await padaria.stop()
    stopped = await line("status")

    assert (calm.exit_code, calm.stdout.splitlines()[0]) == (0, "Está tudo bem.")
    assert "2 mensagens chegaram hoje: " in busy.stdout
    assert busy.stdout.splitlines()[0] == "1 cliente espera por uma pessoa."
    assert re.match(r"Parado desde \d\d/\d\d \d\d:\d\d\.\n", stopped.stdout)
    for result in (calm, busy, stopped):
        assert english_in(result.stdout) == set()


async def test_check_is_portuguese(padaria: World) -> None:
    """What is well, what is not, what is asked before a change; data keeps its names and values."""
    line, change = appliance(padaria), Setting(WELCOME, method="GET", fallback="https://f.example/")
    plainly = await line("check")
    padaria.twilio.settings.changed[SMS] = change
    fixed = await line("check", "--online", "--fix", text="n\n")
    data = json.loads((await line("check", "--online", "--json")).stdout)

    assert (plainly.exit_code, fixed.exit_code) == (0, 1)
    assert plainly.stdout.splitlines()[-1] == "Está tudo bem."
    assert fixed.stdout.splitlines()[:4] == [
        f"Número {SMS}, conta main",
        *fixed.stdout.splitlines()[1:3],
        "  reserva     https://f.example/ → (nada)",
    ]
    assert "Mudar na Twilio? (y = sim, n = não) [y/N]: n" in fixed.stdout
    assert fixed.stdout.splitlines()[-1] == "A fazer: 3 de 14."
    told = {each["kind"]: each for each in data["findings"]}
    assert told["webhook_elsewhere"]["what"] == f"A Twilio chama {WELCOME}"
    assert told["configuration"]["values"] == {"source": str(line.path)}
    assert set(data) == {"ok", "findings"}
    for shown in (plainly.stdout, fixed.stdout, *(f"{each['what']} {each['fix'] or ''}" for each in data["findings"])):
        assert english_in(shown) == set()


async def test_the_setting_counts_before_the_organization(padaria: World) -> None:
    """server.language of the file that the command reads; and the control that English would be found."""
    line = appliance(padaria)
    line.path.write_text(line.path.read_text().replace("server = {", 'server = { language = "en",'))

    shown = (await line("check", "--online")).stdout

    assert shown.splitlines()[-1] == "All is well."
    assert {"All is well.", "Configuration", "Twilio accepts the login."} <= english_in(shown)


def test_before_the_first_start_the_setting_is_all_there_is(tmp_path: Path) -> None:
    """No database, no organization: server.language, else English."""
    file = tmp_path / "config.toml"
    account = f'[twilio]\naccount_sid = "AC{"0" * 32}"\nauth_tokens = ["{"0" * 32}"]\n'
    last = []
    for language in ("", ', language = "pt-BR"'):
        file.write_text(
            f'server = {{ public_url = "https://a.example"{language} }}\nstorage = {{ directory = "{tmp_path / "data"}" }}\n'
            + account
        )
        file.chmod(0o600)
        last.append(CommandLine(file).now("check").stdout)

    assert "(made at the first start)" in last[0]
    assert "(será criado na primeira vez" in " ".join(last[1].split())
    assert english_in(last[1]) == set()


def test_what_is_searched_for_is_found() -> None:
    """Control: whatever the values are, and whole words only."""
    assert english_in("✓ Configuração Modelo gpt responde") == set()
    assert english_in("Less than 2 s away from Twilio's.") == {"Less than {seconds} s away from Twilio's."}
    assert english_in(lines.backup(None, Reader("en", "UTC", HOUR))) == {lines.NO_BACKUP}
