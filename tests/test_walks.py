"""The journey that CONTRIBUTING tells is the one that the code makes, and on it no file is entered twice."""

import re
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from appliance.model import JobKind
from appliance.simulator import Fault
from tests.support.walks import Walk
from tests.support.world import World

MAP = Path(__file__).parents[1] / "CONTRIBUTING.md"


def told(name: str) -> list[str]:
    """The files of one line of the map."""
    found = re.search(rf"^{name} +(.+)$", MAP.read_text("utf-8"), re.MULTILINE)
    assert found is not None
    return found[1].split(" → ")


def is_job(kind: JobKind) -> Callable[[FrameType], bool]:
    return lambda frame: bool(frame.f_locals["job"].kind == kind)


async def follow(walk: Walk, directory: Path, *, callbacks: bool = True) -> Walk:
    """One message of a customer, from the webhook to the callback, with nothing else going on."""
    with walk.watching():
        async with World(directory, twilio={"catch_up_every": 0}) as world:
            await world.teach("Horário", "Abrimos das 7h às 19h.")
            await world.settle()
            if not callbacks:
                world.twilio.faults.add(Fault("callback", "lost", times=None))
            await world.say("Qual o horário?")
            await world.settle()
            assert world.sent() == ["Abrimos das 7h às 19h."]
    return walk


@pytest.mark.parametrize(("name", "begin"), [("inbound", "Hooks.message"), ("callback", "Hooks.status")])
async def test_the_way_of_a_webhook(tmp_path: Path, name: str, begin: str) -> None:
    """Up to the 200, or the 204."""
    walk = await follow(Walk(begin), tmp_path)

    assert walk.files == told(name)
    assert len(set(walk.files)) == len(walk.files)


async def test_the_way_of_a_send(tmp_path: Path) -> None:
    """Up to the POST, and from it to the end of the job."""
    walk = Walk("Worker._execute", "TwilioHttp.request", is_job(JobKind.SEND))
    await follow(walk, tmp_path, callbacks=False)

    assert [*walk.files[: walk.mark], "twilio/client"] == told("send")
    assert walk.files[walk.mark :] == told("sent")
    assert all(len(set(told(name))) == len(told(name)) for name in ("send", "sent"))
