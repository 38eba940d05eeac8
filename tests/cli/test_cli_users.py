"""`appliance user`: add, password, link, list; and the first link of `serve`, on a terminal only."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from appliance.operations.passwords import is_password
from tests.support.command_line import CommandLine, surroundings, write_config
from tests.support.visitor import PASSWORD
from tests.support.world import World, free_port

EMAIL = "marta@example.com"


async def test_add_link_password_list(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link is printed once and kept as a hash; a password from standard input signs everybody out."""
    with surroundings(monkeypatch, tmp_path):
        cli = CommandLine(write_config(tmp_path / "config.toml", world.config))
        await world.settle()
        assert (await cli("user", "add", EMAIL, "--admin")).stdout.count(f"Added {EMAIL}.") == 1
        again, wrong = await cli("user", "add", EMAIL), await cli("user", "add", "marta")
        assert (again.exit_code, wrong.exit_code) == (1, 2)

        link = (await cli("user", "link", EMAIL)).stdout.strip()
        assert re.fullmatch(rf"{world.appliance.address}/link/[\w-]{{43}}", link)
        word = link.rpartition("/")[2]
        dump = str(await world.rows("SELECT * FROM sign_in_links"))
        assert word not in dump and "hash" in dump
        async with aiohttp.ClientSession() as session, session.get(link) as response:
            assert EMAIL in await response.text()

        assert (await cli("user", "passwd", EMAIL, "--password-stdin", text=PASSWORD + "\n")).exit_code == 0
        weak = await cli("user", "passwd", EMAIL, "--password-stdin", text="marta12345678\n")
        assert (weak.exit_code, "first that somebody would try" in weak.stderr) == (2, True)
        typed = await cli("user", "passwd", EMAIL, text=f"{PASSWORD}!\n{PASSWORD}!\n")
        assert PASSWORD not in typed.output
        assert is_password(f"{PASSWORD}!", (await world.column("SELECT password_hash FROM users WHERE id = 2"))[0])
        assert await world.rows("SELECT * FROM sign_in_links") == []

        listed = (await cli.json("user", "list"))["users"]
        assert [(each["email"], each["admin"], each["has_password"]) for each in listed] == [
            ("dono@example.com", False, False),
            (EMAIL, True, True),
        ]
        assert "none yet" in (await cli("user", "list")).stdout
        assert (await cli("user", "link", "nobody@example.com")).exit_code == 1


@pytest.mark.parametrize(("on_a_terminal", "hosts"), [(True, ""), (True, '"box.example"'), (False, "")])
def test_the_first_start_prints_a_link_on_a_terminal(tmp_path: Path, on_a_terminal: bool, hosts: str) -> None:
    """And never into a pipe, the journal or the log, which say which command prints one."""
    port = free_port()
    path = tmp_path / "box.toml"
    path.write_text(
        f'server = {{ listen = "127.0.0.1:{port}", public_url = "http://127.0.0.1:{port}", page_hosts = [{hosts}] }}\n'
        f'storage = {{ directory = "{tmp_path / "data"}" }}\n'
        f'twilio = {{ account_sid = "AC{"0" * 32}", auth_tokens = ["{"t" * 32}"], api_url = "http://127.0.0.1:9" }}\n'
    )
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("APPLIANCE_", "TWILIO_"))}
    options = {"cwd": tmp_path, "env": kept | {"PYTHONPATH": str(Path(__file__).parents[2])}}
    command = [sys.executable, "-m", "appliance", "--config", str(path)]
    register = ("org", "register", "Padaria", "--channel", "+551140000000", "--user", EMAIL)
    subprocess.run([*command, *register], check=True, capture_output=True, **options)  # type: ignore[call-overload]
    ours, theirs = pty.openpty() if on_a_terminal else os.pipe()
    serve = [*command, "serve"]
    log = shown = ""
    with subprocess.Popen(serve, stdout=theirs, stderr=subprocess.PIPE, text=True, **options) as process:  # type: ignore[call-overload]
        while "nobody can sign in yet" not in log:
            line = process.stderr.readline()
            assert line, log
            log += line
        while on_a_terminal and "\n" not in shown:
            shown += os.read(ours, 4096).decode()
        process.terminate()
        log += process.stderr.read()
    os.close(theirs)
    if not on_a_terminal:
        shown = os.read(ours, 4096).decode()
    os.close(ours)

    assert "/link/" not in log and EMAIL not in log
    base = "https://box.example" if hosts else f"http://127.0.0.1:{port}"
    pattern = rf"Sign in as {re.escape(EMAIL)} \(once, within an hour\): {re.escape(base)}/link/[\w-]{{43}}\s"
    assert bool(re.search(pattern, shown)) == on_a_terminal, shown
