"""What `check` says without asking anybody outside."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from appliance.config import Config, Secret, load
from appliance.config.checks import exposed, is_private
from appliance.errors import ConfigurationError
from tests.diagnosis.scene import Checks
from tests.support.world import ACCOUNT, TOKEN, World

TWILIO = f'[twilio]\naccount_sid = "{ACCOUNT}"\nauth_tokens = ["{TOKEN}"]\n'


def faults(path: Path, text: str) -> list[str]:
    path.write_text(text)
    try:
        load(path, {}, serving=True)
    except ConfigurationError as error:
        return error.faults
    return []


@pytest.mark.parametrize("ending", ["/twilio/messages", "/twilio/status", "/shop/twilio/messages/"])
def test_a_public_url_that_ends_in_a_hook_is_a_fault(tmp_path: Path, ending: str) -> None:
    """Nothing that Twilio signs would ever fit; what it should be is said."""
    file = tmp_path / "config.toml"
    server = '[server]\npublic_url = "https://a.example{}"\n'
    less = f"https://a.example{'/shop' if 'shop' in ending else ''}"

    assert [each.rpartition(": ")[2] for each in faults(file, server.format(ending) + TWILIO)] == [f"'{less}'"]
    assert faults(file, f'[server]\npublic_url = "{less}"\n' + TWILIO) == []


def test_a_base_url_that_has_the_path_already_is_a_fault(tmp_path: Path) -> None:
    """Together with every other fault, of which none hides another."""
    text = (
        '[server]\npublic_url = "https://a.example/twilio/messages"\n[ai]\nprovider = "llm"\nmodel = "m"\n'
        f'base_url = "http://127.0.0.1:1/v1/chat/completions"\n{TWILIO}timeout = "3m"\n'
    )

    assert [each.partition(" ")[0] for each in faults(tmp_path / "config.toml", text)] == [
        "server.public_url",
        "ai.base_url",
        "twilio.timeout",
    ]


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("answers.example.com", False),
        ("8.8.8.8", False),
        ("localhost", True),
        ("box", True),
        ("raspberrypi.local", True),
        ("printer.home.arpa.", True),
        ("192.168.1.5", True),
        ("10.0.0.1", True),
        ("169.254.1.1", True),
        ("100.64.0.1", True),
        ("[::1]", True),
        ("[fd00::1]", True),
        ("[2606:4700::1111]", False),
    ],
)
def test_who_can_call_an_address(host: str, private: bool) -> None:
    """By its name or number alone: nothing is asked."""
    assert is_private(f"https://{host}:8443/shop") is private


async def test_a_private_public_url(checks: Checks, world: World) -> None:
    """Is a fault beside the real Twilio, not beside a simulator on this machine."""
    assert "private_url" not in {each["kind"] for each in await checks.told()}
    checks.path.write_text(checks.path.read_text().replace(world.config.twilio.api_url, "https://api.twilio.com"))

    assert [each["kind"] for each in await checks.told() if not each["ok"]] == ["private_url"]


@pytest.fixture
def open_place() -> Iterator[Path]:
    """A directory that every user may enter, as /etc is."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_file_with_secrets_that_all_may_read(open_place: Path) -> None:
    """The configuration, and what a variable names; not where it has none, or where nobody can get to it."""
    file, secret, plain = open_place / "config.toml", open_place / "token", open_place / "plain"
    file.write_text(TWILIO)
    secret.write_text("sesame-sesame")
    plain.write_text("nothing")
    config = Config()
    twilio = msgspec.structs.replace(config.twilio, auth_tokens=(Secret(TOKEN), Secret("sesame-sesame")))
    config = msgspec.structs.replace(config, twilio=twilio, source=str(file))
    environ = {"APPLIANCE_TWILIO__AUTH_TOKENS_FILE": str(secret), "APPLIANCE_AI__API_KEY_FILE": str(plain)}
    for each in (file, secret, plain):
        each.chmod(0o644)

    assert exposed(config, environ) == [file, secret]
    file.chmod(0o640)
    assert exposed(config, environ) == [secret]
    open_place.chmod(0o700)
    assert exposed(config, environ) == []


async def test_check_tells_of_such_a_file(checks: Checks, open_place: Path) -> None:
    """With the line that closes it, after which nothing is to do."""
    path = open_place / "my config.toml"
    path.write_text(checks.path.read_text())
    path.chmod(0o644)
    checks.line.path = path
    found = [each for each in await checks.told() if each["ok"] is False]
    assert [each["fix"] for each in found] == [f"chmod o-rwx '{path}'"]
    assert os.system(found[0]["fix"]) == 0

    assert [each["kind"] for each in await checks.told() if not each["ok"]] == []


async def test_no_organization_and_no_knowledge(world: World, tmp_path: Path) -> None:
    """Both keep customers without an answer; each says which command comes next."""
    checks = Checks(world, tmp_path / "config.toml")
    untaught = [each for each in await checks.told() if not each["ok"]]
    await world.teach("Horário", "Abrimos às 7h.")
    taught = [each["kind"] for each in await checks.told() if not each["ok"]]
    checks.path.write_text(checks.path.read_text().replace(str(world.directory / "data"), str(tmp_path / "empty")))
    assert [each["ok"] for each in await checks.told() if each["kind"] == "database_none"] == [None]
    await checks.line("org", "list")  # makes the database
    nobody = [each for each in await checks.told() if not each["ok"]]

    assert [(each["kind"], each["fix"]) for each in untaught] == [
        ("no_knowledge", "appliance knowledge import FILE --org 'Padaria Aurora'")
    ]
    assert taught == []
    assert [(each["kind"], each["fix"].split()[:3]) for each in nobody] == [
        ("no_organization", ["appliance", "org", "register"])
    ]
