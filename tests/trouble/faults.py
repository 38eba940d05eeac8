"""What can go wrong, made for real, and mended again."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from twilio.request_validator import RequestValidator

from appliance.simulator import Fault as TwilioFault
from tests.support.world import SMS, TOKEN
from tests.trouble.stand import Stand

Step = Callable[[Stand], Awaitable[Any]]


@dataclass(frozen=True)
class Fault:
    """`card`: the kind that must tell of it. `model`: a provider answers, else the offline FAQ. `by`: what shows it first,
    where that is neither a call nor a webhook.
    """

    name: str
    card: str
    breaks: Step
    mends: Step
    model: bool = False
    by: str = ""


def with_settings(**changed: str) -> Step:
    async def step(stand: Stand) -> None:
        await stand.restart(
            **{f"APPLIANCE_{name}": value.replace("{tls}", str(stand.tls)) for name, value in changed.items()}
        )

    return step


async def as_before(stand: Stand) -> None:
    """The settings of the file again."""
    for name in [name for name in stand.environment if name.startswith(("APPLIANCE_TWILIO", "APPLIANCE_SERVER"))]:
        del stand.environment[name]
    await stand.restart()


def of_posts(status: int, code: int | None) -> Step:
    async def step(stand: Stand) -> None:
        stand.twilio.faults.add(TwilioFault("create", "error", status=status, code=code, times=None))

    return step


async def upgraded(stand: Stand) -> None:
    """Else it goes on at 00:05 UTC."""
    stand.twilio.faults.clear()
    await stand.restart()


async def revoke(stand: Stand) -> None:
    stand.twilio.revoked = True


async def accept(stand: Stand) -> None:
    stand.twilio.revoked = False


async def cut(stand: Stand) -> None:
    await stand.line.cut()


async def mend(stand: Stand) -> None:
    await stand.line.mend()


def model_says(name: str | None) -> Step:
    async def step(stand: Stand) -> None:
        assert stand.model is not None
        stand.model.fault = name

    return step


def model_refuses(status: int, code: str, message: str) -> Step:
    async def step(stand: Stand) -> None:
        assert stand.model is not None
        stand.model.answer = lambda _asked: (status, {"error": {"message": message, "type": code, "code": code}})

    return step


async def model_answers(stand: Stand) -> None:
    assert stand.model is not None
    stand.model.fault, stand.model.answer = None, "Abrimos das 7h às 19h."


def signed_with(token: str) -> Step:
    """Somebody promoted a token at Twilio that nobody told the box of."""

    async def step(stand: Stand) -> None:
        stand.twilio._webhooks._validator = RequestValidator(token)

    return step


def hook_at(url: str | None) -> Step:
    async def step(stand: Stand) -> None:
        stand.twilio.settings.of(SMS).url = url

    return step


async def fill(stand: Stand) -> None:
    assert stand.disk is not None
    stand.disk.leave(100)


async def empty(stand: Stand) -> None:
    assert stand.disk is not None
    stand.disk.empty()


def written(hours: int) -> Step:
    """The clock is behind what was written before, by so many hours, or is right again."""

    async def step(stand: Stand) -> None:
        await stand.stop()
        stand.execute("UPDATE message_queue SET created_at = created_at + ?", hours * 3_600_000)
        await stand.start()

    return step


async def no_copies(stand: Stand) -> None:
    """A file stands where the copies go, and the last copy is old."""
    await stand.stop()
    stand.execute("DELETE FROM box WHERE key = 'backup_at'")
    backups = stand.directory / "data" / "backups"
    backups.rename(stand.directory / "backups")
    backups.touch()
    await stand.start()


async def copies(stand: Stand) -> None:
    """And somebody asks for one, as the card says."""
    backups = stand.directory / "data" / "backups"
    backups.unlink()
    (stand.directory / "backups").rename(backups)
    await stand.command("backup")


PATHS = {  # what server.public_url is where Twilio calls {url}
    "https for http": "https://127.0.0.1:{port}",
    "another host": "http://localhost:{port}",
    "another port": "http://127.0.0.1:9",
    "no port": "http://127.0.0.1",
    "a prefix too much": "http://127.0.0.1:{port}/app",
    "https, host and port": "https://shop.example.com",
    "a hook's path halfway": "http://127.0.0.1:{port}/twilio",
}


def url_of(pattern: str) -> Step:
    async def step(stand: Stand) -> None:
        await stand.restart(APPLIANCE_SERVER__PUBLIC_URL=pattern.format(port=stand.port))

    return step


FAULTS = [
    Fault("disk nearly full", "disk", fill, empty),
    Fault("clock behind", "clock", written(2), written(-2)),
    Fault("no backup", "backup", no_copies, copies),
    Fault("name not found", "unreachable", with_settings(TWILIO__API_URL="http://nobody.invalid"), as_before),
    Fault("port closed", "unreachable", cut, mend),
    Fault(
        "certificate of another name",
        "unreachable",
        with_settings(TWILIO__API_URL="https://127.0.0.1:{tls}"),
        as_before,
    ),
    Fault(
        "401 on REST",
        "credentials",
        with_settings(
            TWILIO__API_KEY_SID="SK" + "0" * 32, TWILIO__API_KEY_SECRET="x" * 32, TWILIO__AUTH_TOKENS=f'["{"e" * 32}"]'
        ),
        as_before,
    ),
    Fault("20003", "credentials", revoke, accept),
    Fault("63038", "twilio", of_posts(429, 63038), upgraded),
    Fault("wrong token", "signature", signed_with("f" * 32), signed_with(TOKEN)),
    *(Fault(f"public_url: {name}", "signature", url_of(pattern), as_before) for name, pattern in PATHS.items()),
    Fault("unset hook", "unheard", hook_at("http://127.0.0.1:9/nobody"), hook_at(None), by="catch-up"),
    Fault(
        "model 401",
        "ai",
        model_refuses(401, "invalid_api_key", "Incorrect API key provided"),
        model_answers,
        model=True,
    ),
    Fault(
        "model 404", "ai", model_refuses(404, "model_not_found", "The model does not exist"), model_answers, model=True
    ),
    Fault(
        "model quota",
        "ai",
        model_refuses(429, "insufficient_quota", "You exceeded your current quota"),
        model_answers,
        model=True,
    ),
    Fault("model 500", "ai", model_says("error_500"), model_answers, model=True),
    Fault("model out of reach", "ai", model_says("silence"), model_answers, model=True),
]
