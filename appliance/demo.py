"""The demo: a sample bakery on the real appliance, and a simulated Twilio with a phone in the browser.

The appliance runs from a configuration file with the code that `serve` runs; only its `twilio.api_url` is the
simulator. Nothing leaves this machine, and what is in the directory goes on at the next start.
"""

import asyncio
import errno
import getpass
import json
import os
import secrets
import socket
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import click
import msgspec

from appliance import logs
from appliance.app import Appliance
from appliance.app import run as serve
from appliance.config import Address, Config, load
from appliance.config.keys import host_port
from appliance.config.reach import EVERYWHERE, pages_url, reached
from appliance.errors import ApplianceError
from appliance.model import Language
from appliance.operations import markdown, users
from appliance.operations.organizations import Registration, register_organization
from appliance.operations.silence import Silence, silence
from appliance.printable import escaped
from appliance.simulator import Ledger, Phone, Twilio, run_simulator, simulator_app
from appliance.store import Tx
from appliance.store.lock import Lock
from appliance.wire import SIMULATED

LISTEN = "127.0.0.1:8080"
PACE = 0.6  # seconds between two ticks, so that they are seen
WHATSAPP, SMS = "whatsapp:+551140000001", "+551140000000"
BAKERY = Registration("Padaria Aurora", (WHATSAPP, SMS), "dona@padaria-aurora.example", contact="(11) 4002-8922")
QUESTIONS = ("Qual é o horário?", "Vocês entregam?", "Quanto custa o bolo?", "Aceitam Pix?")
OURS = ("APPLIANCE_AI__", "OPENAI_")  # variables that may change the demo: another model, never another Twilio

CONFIG = """\
# Written anew at each start of the demo.
[server]
listen = {listen}
public_url = {public_url}
[storage]
directory = {storage}
[twilio]
account_sid = "{account_sid}"
auth_tokens = [{token}]
api_url = {api_url}
[conversations]
reply_delay = "1s"
reply_delay_max = "4s"
[log]
level = "warning"
"""
OWN_LINE = CONFIG.splitlines()[0]


@dataclass(frozen=True, slots=True)
class Place:
    """Where one of the two servers listens, and the port that was taken, if any."""

    address: Address
    taken: int | None = None

    @property
    def local(self) -> str:
        """The URL on this machine."""
        return f"http://{Address(EVERYWHERE.get(self.address.host, self.address.host), self.address.port)}"

    def __str__(self) -> str:
        """The URL for the reader, who may sit elsewhere."""
        note = f"  (port {self.taken} is taken)" if self.taken else ""
        return f"http://{reached(self.address)}{note}"


def run(listen: str | None, directory: Path) -> int:
    """Run until a signal says stop. `listen`: host:port of the appliance, the phone gets the next port.

    Returns the exit status; what an operator can fix is one sentence on standard error.
    """
    directory = directory.absolute()
    lock = Lock(directory)
    try:
        # A configuration that the demo did not write is not its to replace, nor is the token in it to use.
        path = directory / "config.toml"
        content = path.read_bytes() if path.exists() else b""  # empty: a start that the power cut short
        if content and not content.startswith(OWN_LINE.encode()):
            raise ApplianceError(f"{path} is not of the demo, which would replace it; name another --directory.")
        directory.mkdir(parents=True, exist_ok=True)
        lock.take()
        asyncio.run(_run(listen or LISTEN, directory))
    except ApplianceError as error:
        click.echo(escaped(str(error)), err=True)
        return error.exit_status
    finally:
        lock.release()
    return 0


async def _run(listen: str, directory: Path) -> None:
    key = host_port()
    try:
        wanted: Address = key.read(listen)
    except ValueError:
        raise ApplianceError(f"LISTEN={listen} must be {key.allowed}.") from None
    own = _free(wanted)
    phone = _free(Address(wanted.host, own.address.port + 1))
    config = _configure(directory / "config.toml", own, phone)
    logs.configure(config.log.level, config.log.format, config.twilio.auth_tokens)
    appliance = Appliance(config)

    async def why(sid: str) -> Silence | None:
        if not appliance.address or appliance.stopping.is_set():
            return None
        return await appliance.store.read(lambda tx: silence(tx, sid))

    async def tongue() -> Language:
        if not appliance.address or appliance.stopping.is_set():
            return "pt-BR"
        found = await appliance.store.read(lambda tx: tx.organizations.page_of_the_box(limit=1))
        return found[0].language if found else "pt-BR"

    page = Phone(business=BAKERY.name, suggestions=QUESTIONS, silence=why, tongue=tongue)
    async with _simulator(config, directory / "simulator.jsonl", phone, page):
        await serve(appliance, lambda: _open_shop(appliance, own, phone))


def _free(wanted: Address) -> Place:
    """The first free port from the wanted one on."""
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    for port in range(wanted.port, 65_536):
        try:
            with socket.create_server((wanted.host, port), family=family) as probe:
                bound = probe.getsockname()[1]
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise ApplianceError(f"Cannot listen on {wanted}: {error.strerror}.") from error
        return Place(Address(wanted.host, bound), wanted.port if port != wanted.port else None)
    raise ApplianceError(f"No port is free from {wanted} on.")


def _configure(path: Path, own: Place, phone: Place) -> Config:
    try:  # the one of the last start: a phone page or a script of the visitor's may still use it
        token = str(tomllib.loads(path.read_text("utf-8"))["twilio"]["auth_tokens"][0])
    except (OSError, ValueError, LookupError, TypeError):
        token = ""
    content = CONFIG.format(
        listen=_toml(str(own.address)),
        public_url=_toml(own.local),
        storage=_toml(str(path.parent / "data")),
        account_sid=SIMULATED,
        token=_toml(token or secrets.token_hex(16)),
        api_url=_toml(phone.local),
    )
    path.touch(mode=0o600)
    path.write_text(content, "utf-8")
    return load(path, {name: value for name, value in os.environ.items() if name.startswith(OURS)}, serving=True)


def _toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


@asynccontextmanager
async def _simulator(config: Config, path: Path, place: Place, phone: Phone) -> AsyncIterator[None]:
    try:
        ledger = Ledger(path)
    except msgspec.DecodeError as error:
        raise ApplianceError(f"{path} is not a simulator's ledger; delete it to start afresh.") from error
    public_url, tokens = config.server.public_url, config.twilio.auth_tokens
    twilio = Twilio(SIMULATED, tokens, ledger, public_url=public_url, owned=(WHATSAPP, SMS), pace=PACE)
    runner = await run_simulator(simulator_app(twilio, phone), place.address.host, place.address.port)
    try:
        yield
    finally:
        await runner.cleanup()


async def _open_shop(appliance: Appliance, own: Place, phone: Place) -> None:
    await appliance.store.write(_register)
    word = await appliance.store.write(lambda tx: users.link(tx, users.find(tx, BAKERY.user)))
    click.echo(f"Appliance: {own}")
    click.echo(f"Phone:     {phone}  (open it and write as a customer)")
    click.echo(f"Sign in:   {pages_url(appliance.config.server)}/link/{word}  (as the owner; once, within an hour)")
    match os.environ.get("SSH_CONNECTION", "").split():  # ssh(1): this machine is reached by SSH
        case [_, _, server, port] if own.address.host not in EVERYWHERE:
            forwards = " ".join(f"-L {end.port}:{end}" for end in (own.address, phone.address))
            command = f"ssh {forwards} {'' if port == '22' else f'-p {port} '}{getpass.getuser()}@{server}"
            click.echo(f"On your own computer, before you open them: {command}")
    click.echo("Stop with Ctrl-C; the next start goes on from here.")


def _register(tx: Tx) -> None:
    if tx.organizations.named(BAKERY.name):
        return
    organization_id = register_organization(tx, BAKERY)
    tx.users.update(users.find(tx, BAKERY.user).id, admin=1)
    sample = (files("appliance") / "samples" / "bakery.md").read_text("utf-8")
    for title, body, aliases in markdown.parse(sample):
        tx.knowledge.put(organization_id, title, body, aliases or ())
