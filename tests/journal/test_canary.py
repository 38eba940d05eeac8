"""What must not be in the log is not, at any level, and before anything is masked."""

from pathlib import Path

import pytest

from appliance.model import SECOND, JobKind
from appliance.simulator import Fault
from tests.journal.scene import unmasked
from tests.support.api_client import api_of
from tests.support.fake_ai import CANARY, FakeAi
from tests.support.world import API_KEY, CUSTOMER, SMS, TOKEN, WHATSAPP, ManualClock, World

KEY = "sk-canary-key-4e1b"
SAID = "canario-da-cliente-77a1"
TOLD = "canario-da-padaria-9c3d"
NAME = "Canaria Silva-Perfil"
FAULTS = [
    None,
    Fault("create", "error", status=400, code=21211, times=None),
    Fault("create", "error", status=401, code=20003, times=None),
    Fault("create", "error", status=503, times=None),
    Fault("create", "reset", times=None),
    Fault("list", "error", times=None),
    Fault("delivery", "undelivered", code=30003, times=None),
]
OF_THE_MODEL = [None, "bad_key_401", "bad_request_400", "error_500", "html_200", "refusal", "content_empty"]


@pytest.mark.parametrize(("fault", "model_fault"), list(zip(FAULTS, OF_THE_MODEL, strict=True)))
async def test_no_words_no_secrets_no_numbers(tmp_path: Path, fault: Fault | None, model_fault: str | None) -> None:
    """Neither side's words, a name, a token, a key, a whole number: whatever fails, with every step told."""
    model, clock = FakeAi(), ManualClock()
    with unmasked() as events:
        async with World(tmp_path, clock=clock, model=model, ai={"api_key": KEY}) as world, api_of(world) as api:
            model.fault = model_fault
            model.answer = lambda _: f"{TOLD} para {SAID}"
            if fault:
                world.twilio.faults.add(fault)
            named = {"ProfileName": NAME}
            await world.say(f"Qual o horário? {SAID}", extra=named)
            await world.say(f"E no domingo? {SAID}", f"whatsapp:{CUSTOMER}", WHATSAPP, extra=named)
            await world.twilio.receive(CUSTOMER, "+551149999999", SAID)  # to nobody's number
            await api.post("messages", {"from": SMS, "to": CUSTOMER, "body": TOLD})
            await clock.advance(60, world.settle)
            for kind in JobKind:
                if kind not in (JobKind.REPLY, JobKind.SEND):
                    await world.appliance.engine.schedule.tick(kind)
            await clock.advance(600_000 / SECOND, world.settle)

    text = "\n".join(str({name: value for name, value in event.items() if name != "exc_info"}) for event in events)
    assert len(events) > 10
    for secret in (SAID, TOLD, NAME, CANARY, KEY, TOKEN, API_KEY, CUSTOMER[1:], SMS[1:], WHATSAPP[10:]):
        assert secret not in text, secret
