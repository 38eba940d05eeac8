"""The model over HTTP: every failure has its class, the prompt its bounds, the answer its reading."""

import asyncio
import json
import socket
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from appliance.model import Organization, TextKey, Topic
from appliance.ports import Dialogue, Permanent, Reply, ResponderError, Retryable, Turn
from appliance.responder.llm import Llm
from appliance.responder.refusal import MAX_RETRY_AFTER
from tests.support.fake_ai import FAULTS, WORDS, FakeAi, completion, fault_url

KEY = "sk-key-canary-91c2"
QUESTION = "Qual o horário? question-canary-55aa"
SHOP = Organization(1, "Padaria Sol", "pt-BR", "America/Sao_Paulo", instructions="Never offer discounts.")
ASKED = Dialogue(SHOP, (QUESTION,))
SLOW = {"silence", "drip_headers", "drip_body"}


@pytest.fixture
async def llm(base_url: str) -> AsyncIterator[Llm]:
    llm = Llm(base_url, KEY, "small", 400)
    yield llm
    await llm.close()


async def failure(llm: Llm, timeout: float = 20.0, dialogue: Dialogue = ASKED) -> ResponderError:
    with pytest.raises(ResponderError) as caught:
        await llm.respond(dialogue, timeout)
    return caught.value


def kind(error: ResponderError) -> str:
    """A fault of content is permanent as well: the message's own."""
    if isinstance(error, Permanent):
        return "for_all" if error.for_all else "permanent"
    assert isinstance(error, Retryable)
    if error.unreachable:
        return "unreachable"
    return "retryable" if error.retry_after is None else "parked"


class TestFaults:
    def test_there_are_enough(self) -> None:
        """The catalogue covers at least thirty shapes and every class of error."""
        assert len(FAULTS) >= 30
        assert {fault.expected for fault in FAULTS.values()} == {
            *("permanent", "for_all", "content", "retryable", "unreachable", "parked")
        }

    @pytest.mark.parametrize("name", FAULTS)
    async def test_each_has_its_class_and_a_safe_reason(self, fake: FakeAi, base_url: str, name: str) -> None:
        """Every failure becomes the right error in bounded time, and no secret, body or text gets into its words."""
        fake.fault = name
        llm = Llm(fault_url(name, base_url), KEY, "small", 400)

        error = await asyncio.wait_for(failure(llm, 0.3 if name in SLOW else 20.0), 30)
        await llm.close()

        expected = FAULTS[name].expected
        assert kind(error) == ("permanent" if expected == "content" else expected), error
        said = "".join(traceback.format_exception(error)) + repr(error)
        assert not [secret for secret in (KEY, "canary", "horário", SHOP.name) if secret in said]
        assert 0 < len(str(error)) < 100
        assert (WORDS in said) <= (expected == "for_all")
        assert len(fake.requests) <= 1 + (
            expected == "content"
        )  # nothing is followed; asked twice where it was answered

    @pytest.mark.parametrize("name", sorted(set(FAULTS) - {"refused", "dns", "tls"}))
    async def test_the_next_call_is_unharmed(self, fake: FakeAi, llm: Llm, name: str) -> None:
        """After any failure the same session answers the next question."""
        fake.fault = name
        await failure(llm, 0.2 if name in SLOW else 20.0)
        fake.fault = None

        assert (await llm.respond(ASKED, 20)).text == f"You asked: {QUESTION}"

    @pytest.mark.parametrize(
        ("value", "seconds"),
        [
            ("7", 7),
            ("0", 1),
            ("999999", MAX_RETRY_AFTER),
            ("Sat, 01 Jan 2000 00:15:00 GMT", 900),
            ("Thu, 01 Jan 1970 00:00:00 GMT", 1),
            ("Fri, 31 Dec 9999 23:59:59 -2359", MAX_RETRY_AFTER),
            ("Sat, 01 Jan 2000 00:15:00 +99999999999999", 1),
            *((garbage, 1) for garbage in ("", "-5", "1e3", "٣", "soon", "1" * 5_000)),
        ],
    )
    async def test_retry_after_is_bounded(
        self, fake: FakeAi, llm: Llm, monkeypatch: pytest.MonkeyPatch, value: str, seconds: float
    ) -> None:
        """Seconds and dates (by the server's clock) are understood, garbage ignored, an hour is the most."""

        async def limited(request: web.Request) -> web.Response:
            return web.Response(status=429, headers={"Retry-After": value, "Date": "Sat, 01 Jan 2000 00:00:00 GMT"})

        monkeypatch.setitem(FAULTS, "limited", replace(FAULTS["rate_429"], handler=limited))
        fake.fault = "limited"

        error = await failure(llm)

        assert isinstance(error, Retryable)
        assert error.retry_after == seconds

    async def test_a_connection_that_is_never_accepted_is_unreachable(self, full_backlog: int) -> None:
        """A connect that hangs is told from a slow answer before the time is up."""
        llm = Llm(f"http://127.0.0.1:{full_backlog}/v1", None, "small", 400)
        error = await failure(llm, 0.6)
        await llm.close()

        assert kind(error) == "unreachable"

    @pytest.mark.parametrize(
        "url", ["nonsense", "ftp://host/v1", "http://[::1/v1", "http://a..b/v1", "http://127.0.0.1:99999"]
    )
    async def test_an_unusable_address_is_permanent(self, url: str) -> None:
        """An address that no request can be made of is not tried again."""
        llm = Llm(url, KEY, "small", 400)
        error = await failure(llm)
        await llm.close()

        assert kind(error) == "for_all"
        assert url not in str(error)

    async def test_a_key_with_a_newline_is_permanent(self, base_url: str) -> None:
        """A key that would break the header never leaves the box."""
        llm = Llm(base_url, f"{KEY}\nX: y", "small", 400)
        error = await failure(llm)
        await llm.close()

        assert kind(error) == "for_all"
        assert KEY not in "".join(traceback.format_exception(error))


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port whose queue of connections is full, so that the next connect hangs."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=0)) as server:
        port = server.getsockname()[1]
        waiting = []
        for _ in range(4):
            waiting.append(socket.socket())
            waiting[-1].setblocking(False)
            waiting[-1].connect_ex(("127.0.0.1", port))
        yield port
        for client in waiting:
            client.close()


class TestRequest:
    async def test_its_shape(self, fake: FakeAi, llm: Llm) -> None:
        """One system message with all the rules first, then the history, then every live question."""
        dialogue = Dialogue(
            SHOP,
            ("Olá", "Abre domingo?"),
            turns=(Turn("user", "oi"), Turn("assistant", "Bom dia!")),
            topics=(Topic(1, "Horário", "Seg a sáb 7-19h"),),
        )
        reply = await llm.respond(dialogue, 20)

        asked = fake.requests[0]
        assert [m["role"] for m in asked["messages"]] == ["system", "user", "assistant", "user"]
        assert [m["content"] for m in asked["messages"][1:]] == ["oi", "Bom dia!", "Olá\nAbre domingo?"]
        system = asked["messages"][0]["content"]
        for part in (
            "Padaria Sol",
            "Brazilian Portuguese",
            "Never offer discounts.",
            "## Horário\nSeg a sáb 7-19h",
            "[[HANDOFF]]",
            "[[NO_REPLY]]",
            "1600",
        ):
            assert part in system
        assert {key: asked[key] for key in asked if key != "messages"} == {"model": "small", "max_tokens": 400}
        assert fake.headers[0]["authorization"] == f"Bearer {KEY}"
        assert reply == Reply(source="small", text="You asked: Olá | Abre domingo?")

    async def test_without_a_key(self, fake: FakeAi, base_url: str) -> None:
        """A local server without a key gets no Authorization header, and a base URL may end in a slash."""
        llm = Llm(base_url + "/", None, "small", 400)
        await llm.respond(ASKED, 20)
        await llm.close()

        assert "authorization" not in fake.headers[0]

    async def test_cookies_are_not_kept(self, fake: FakeAi, base_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """What a server plants is not sent back."""

        async def planting(request: web.Request) -> web.Response:
            return web.json_response(completion("hi"), headers={"Set-Cookie": "id=1"})

        monkeypatch.setitem(FAULTS, "cookie", replace(FAULTS["rate_429"], handler=planting))
        fake.fault = "cookie"
        llm = Llm(base_url.replace("127.0.0.1", "localhost"), None, "small", 400)  # jars refuse bare addresses anyway
        await llm.respond(ASKED, 20)
        await llm.respond(ASKED, 20)
        await llm.close()

        assert "cookie" not in fake.headers[1]

    async def test_the_proxy_of_the_environment_is_ignored(self, llm: Llm, monkeypatch: pytest.MonkeyPatch) -> None:
        """The environment cannot redirect the customers' words."""
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")

        assert (await llm.respond(ASKED, 20)).text

    async def test_calls_at_the_same_time_do_not_mix(self, fake: FakeAi, llm: Llm) -> None:
        """Forty calls at once each get the answer to their own question over one session."""
        fake.delay = 0.05
        asked = [f"question {n}" for n in range(40)]

        replies = await asyncio.gather(*(llm.respond(Dialogue(SHOP, (text,)), 20) for text in asked))

        assert [reply.text for reply in replies] == [f"You asked: {text}" for text in asked]

    async def test_closing_ends_a_call_under_way(self, fake: FakeAi, llm: Llm) -> None:
        """A closed responder fails its open calls as retryable, and closing twice is harmless."""
        fake.fault = "silence"
        call = asyncio.create_task(failure(llm))
        while not fake.requests:
            await asyncio.sleep(0.01)
        await llm.close()
        await llm.close()

        assert kind(await asyncio.wait_for(call, 10)) == "unreachable"

    async def test_cancelling_is_not_an_error_of_the_provider(self, fake: FakeAi, llm: Llm) -> None:
        """A cancelled call ends as cancelled."""
        fake.fault = "silence"
        call = asyncio.create_task(llm.respond(ASKED, 20))
        while not fake.requests:
            await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call


class TestAnswer:
    async def test_may_come_in_parts(self, fake: FakeAi, llm: Llm) -> None:
        """Servers that return a list of parts are understood; only the parts that are text count."""
        parts = [
            {"type": "text", "text": "Abre "},
            {"type": "thinking", "thinking": []},
            {"type": "text", "text": "às 7h"},
        ]
        fake.answer = lambda _: completion([*parts, {"type": "text", "text": None}])

        assert await llm.respond(ASKED, 20) == Reply(source="small", text="Abre às 7h")

    async def test_can_ask_for_a_person(self, fake: FakeAi, llm: Llm) -> None:
        """The handover mark becomes the fixed text for it."""
        fake.answer = "[[HANDOFF]]"

        assert await llm.respond(ASKED, 20) == Reply(source="small", key=TextKey.HANDOFF)

    @pytest.mark.parametrize(
        ("written", "told"),
        [
            ("Abrimos às 7h. O bolo custa R$ 1", Reply(source="small", text="Abrimos às 7h.")),
            ("Um momento. [[HANDO", Reply(source="small", key=TextKey.HANDOFF)),
        ],
    )
    async def test_cut_at_the_models_limit_loses_its_last_sentence(
        self, fake: FakeAi, llm: Llm, written: str, told: Reply
    ) -> None:
        """Half a price is a wrong price; and nobody has to count tokens."""
        fake.answer = lambda _: completion(written, finish_reason="length", prompt_tokens=None)

        assert await llm.respond(ASKED, 20) == told

    async def test_cut_in_its_first_sentence_is_no_answer(self, fake: FakeAi, llm: Llm) -> None:
        """It is asked for once more, with twice the room."""
        fake.answer = lambda _: completion("Abrimos às", finish_reason="length")

        assert kind(await failure(llm)) == "permanent"
        assert [asked["max_tokens"] for asked in fake.requests] == [400, 800]

    async def test_its_count_corrects_the_next_prompt(self, fake: FakeAi, base_url: str) -> None:
        """A server that counts twice the tokens gets prompts of about half the bytes after a few calls."""

        def expensive(asked: dict[str, Any]) -> dict[str, Any]:
            weight = sum(len(m["content"].encode()) + 16 for m in asked["messages"])
            return completion("ok", prompt_tokens=weight / 2)

        fake.answer = expensive
        llm = Llm(base_url, None, "small", 400, context_tokens=8_000)
        long = Dialogue(SHOP, ("q",), tuple(Turn("user", "x" * 200) for _ in range(400)))
        for _ in range(12):
            await llm.respond(long, 20)
        await llm.close()

        sizes = [len(json.dumps(asked["messages"])) for asked in fake.requests]
        assert sizes == sorted(sizes, reverse=True)
        assert 0.4 < sizes[-1] / sizes[0] < 0.6
