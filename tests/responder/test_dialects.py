"""How real servers answer and refuse, recorded: understood, adapted to, or told to the owner in their own words."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from appliance.model import Organization
from appliance.ports import Dialogue, Permanent, Reply, ResponderError, Retryable, Turn
from appliance.responder.llm import Llm
from appliance.responder.refusal import MAX_WORDS, refusal
from tests.support.dialects import HELLO, INTERNAL, RECORDED, Recorded
from tests.support.fake_ai import FakeAi, completion, echo

KEY = "abc-key-canary-91c2"
SHOP = Organization(1, "Padaria Sol", "pt-BR", "America/Sao_Paulo")
LONG = Dialogue(SHOP, ("Qual o horário?",), tuple(Turn("user", "x" * 500) for _ in range(100)))
named = pytest.mark.parametrize("name", RECORDED)


@pytest.fixture
async def llm(base_url: str) -> AsyncIterator[Llm]:
    llm = Llm(base_url, KEY, "small", 400, context_tokens=200_000, reasoning_effort="medium")
    yield llm
    await llm.close()


def says(record: Recorded) -> tuple[int, Any]:
    return record.status, record.body


def refuses_first(record: Recorded) -> Any:
    """The server as recorded for as long as it is asked in the way that it refuses."""
    first: list[dict[str, Any]] = []

    def answer(asked: dict[str, Any]) -> Any:
        first.append(asked)
        changed = {key for key in {*asked, *first[0]} if asked.get(key) != first[0].get(key)}
        return echo(asked) if changed else says(record)

    return answer


async def outcome(llm: Llm, dialogue: Dialogue = LONG) -> Reply | ResponderError:
    try:
        return await llm.respond(dialogue, 20)
    except ResponderError as error:
        return error


def test_there_are_enough_of_each_server() -> None:
    """Six servers, every end, each with a source."""
    assert len({name.split(":")[0] for name in RECORDED}) == 6
    assert len({record.expected for record in RECORDED.values()}) == 7
    assert all(len(record.source) > 10 for record in RECORDED.values())


@pytest.mark.parametrize("name", [name for name, record in RECORDED.items() if not record.text])
async def test_each_has_its_end(fake: FakeAi, llm: Llm, name: str) -> None:
    """Words are read, thoughts are not; a refusal is adapted to, waited for, or the owner's; calls are bounded."""
    record = RECORDED[name]
    fake.answer = refuses_first(record) if record.expected == "adapts" else lambda _: says(record)

    end = await outcome(llm)

    calls = len(fake.requests)
    assert INTERNAL not in str(end)
    match record.expected:
        case "answer":
            assert (end, calls) == (Reply(source="small", text=HELLO), 1)
        case "adapts":
            assert isinstance(end, Reply), end
            assert calls == 2
        case "nothing" | "own":
            assert isinstance(end, Permanent)
            assert not end.for_all
            assert calls == (2 if record.expected == "nothing" else 1)
        case "for_all":
            assert isinstance(end, Permanent)
            assert end.for_all
            assert record.told in str(end)
            assert not record.hidden or record.hidden not in str(end)
            assert calls == 1
        case "waits" | "fails":
            assert isinstance(end, Retryable), end
            assert (end.retry_after is not None, calls) == (record.expected == "waits", 1)


@pytest.mark.parametrize("name", [name for name, record in RECORDED.items() if record.expected == "adapts"])
async def test_what_was_learned_is_kept(fake: FakeAi, llm: Llm, name: str) -> None:
    """The second customer is asked for in the server's own way at once."""
    fake.answer = refuses_first(RECORDED[name])
    await outcome(llm)
    learned = fake.requests[-1]

    assert isinstance(await outcome(llm), Reply)

    assert len(fake.requests) == 3
    assert {key for key in fake.requests[-1] if key != "messages"} == {key for key in learned if key != "messages"}
    assert len(str(fake.requests[-1])) <= 1.2 * len(str(learned))


async def test_a_text_that_is_no_json_is_told(fake: FakeAi, llm: Llm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path on a server of Go answers in plain text."""
    (record,) = [record for record in RECORDED.values() if record.text]
    assert refusal(record.status, record.text.encode()).words([]) == record.told


class TestWays:
    async def test_openai_gets_the_name_it_wants(self, llm: Llm) -> None:
        """OpenAI's own address gets max_completion_tokens, which its newer models insist on."""
        openai = Llm("https://api.openai.com/v1", KEY, "small", 300)
        request = openai._dialect.request(LONG, 300)

        assert (request.max_completion_tokens, request.max_tokens, request.reasoning_effort) == (300, None, None)

    async def test_the_effort_is_given_on_where_set(self, fake: FakeAi, llm: Llm) -> None:
        """As configured, beside the limit that every server knows."""
        await outcome(llm)

        assert (fake.requests[0]["reasoning_effort"], fake.requests[0]["max_tokens"]) == ("medium", 400)

    async def test_a_server_that_refuses_either_name_is_not_asked_for_ever(self, fake: FakeAi, llm: Llm) -> None:
        """One change of name in the life of a process."""
        fake.answer = lambda asked: (
            400,
            {"error": {"message": f"Unsupported parameter: {next(key for key in asked if 'max_' in key)}"}},
        )

        assert isinstance(await outcome(llm), Permanent)
        assert len(fake.requests) == 2

    async def test_a_prompt_shrinks_until_it_fits(self, fake: FakeAi, llm: Llm) -> None:
        """A server that names no numbers: a quarter less each time, and what was learned is kept."""

        def answer(asked: dict[str, Any]) -> Any:
            fits = sum(len(m["content"]) for m in asked["messages"]) < 20_000
            return echo(asked) if fits else (400, {"error": "Context size has been exceeded."})

        fake.answer = answer

        assert isinstance(await outcome(llm), Reply)
        tried = len(fake.requests)
        assert 2 < tried <= 6
        assert isinstance(await outcome(llm), Reply)
        assert len(fake.requests) == tried + 1

    async def test_a_server_too_small_for_anything_is_the_owners(self, fake: FakeAi, base_url: str) -> None:
        """Where not even the least prompt fits, the owner is told in the server's words."""
        fake.answer = lambda _: (400, {"error": "Context size has been exceeded."})
        llm = Llm(base_url, None, "small", 400)
        end = await outcome(llm)
        await llm.close()

        assert isinstance(end, Permanent)
        assert end.for_all
        assert "Context size has been exceeded." in str(end)
        assert len(fake.requests) <= 6

    async def test_the_room_for_thoughts_is_kept(self, fake: FakeAi, llm: Llm) -> None:
        """A reasoning model that needs more room gets it from then on: one call a message, not two."""
        fake.answer = lambda asked: (
            completion("7h") if asked["max_tokens"] > 1_000 else completion(None, finish_reason="length")
        )

        assert await outcome(llm) == await outcome(llm) == Reply(source="small", text="7h")
        assert [asked["max_tokens"] for asked in fake.requests] == [400, 1_600, 1_600]


class TestSecondTry:
    async def test_gives_an_answer_that_was_cut_more_room(self, fake: FakeAi, llm: Llm) -> None:
        """Twice the tokens, once; the next message begins with the configured ones again."""
        fake.answer = lambda asked: completion(
            "Às 7h. Bolo R$ 10", finish_reason="stop" if asked["max_tokens"] > 400 else "length"
        )

        assert await outcome(llm) == await outcome(llm) == Reply(source="small", text="Às 7h. Bolo R$ 10")
        assert [asked["max_tokens"] for asked in fake.requests] == [400, 800, 400, 800]

    async def test_is_left_out_where_more_could_not_be_sent(self, fake: FakeAi, llm: Llm) -> None:
        """What fills a message is not paid for twice."""
        fake.answer = lambda _: completion("Bom dia. " * 300, finish_reason="length")

        assert isinstance(await outcome(llm), Reply)
        assert len(fake.requests) == 1

    async def test_is_left_out_where_time_is_short(self, fake: FakeAi, llm: Llm) -> None:
        """A slow model that needs more than half of the time for one answer is not asked for a longer one."""
        fake.delay = 0.3
        fake.answer = lambda _: completion("Às 7h. E", finish_reason="length")

        assert await llm.respond(LONG, 0.5) == Reply(source="small", text="Às 7h.")
        assert len(fake.requests) == 1

    @pytest.mark.parametrize("status", [429, 500, 401])
    async def test_that_fails_is_no_news_of_the_provider(self, fake: FakeAi, llm: Llm, status: int) -> None:
        """Whatever becomes of it, the message keeps its own fault; the next message finds out."""
        fake.answer = lambda _: (status, {}) if len(fake.requests) > 1 else completion(None)
        end = await outcome(llm)

        assert isinstance(end, Permanent)
        assert (str(end), end.for_all) == ("the answer was empty", False)


class TestWordsForTheOwner:
    @pytest.mark.parametrize(
        ("message", "told"),
        [
            (f"wrong key {KEY}!", "wrong key …!"),
            ("see https://me:secret@host/a/b?token=secret#x now", "see https://host/a/b now"),
            ("Bearer abcdef is no key", "… is no key"),
            ("no sk-...8aSP, sk-ab*****cd or gsk_Ab12", "no …, … or …"),
            ("a\x1b[31mred\u202e\nline", "a\\x1b[31mred\\u202e line"),
            ("you asked: Qual o horário?", "you asked: …"),
            ("key 123e4567-e89b-12d3-a456-426614174000 of AIzaSyA1b2c3d4", "key … of …"),
        ],
    )
    def test_hold_no_secret(self, message: str, told: str) -> None:
        """Keys, masked keys, what a URL carries, what the customer said; one printable line."""
        words = replace(refusal(401, b"{}"), message=message).words([KEY, "Qual o horário?"])

        assert words == told

    def test_are_bounded(self) -> None:
        """However much a server writes."""
        words = replace(refusal(401, b"{}"), message="word " * 10_000).words([""])

        assert len(words) <= MAX_WORDS

    @pytest.mark.parametrize(
        "body", [b"", b"[", b"[[[[[[[[[[", b"<html>", b'{"error": 7}', b'[{"error": {"message": ["x"]}}]', b"\xff" * 99]
    )
    def test_may_be_missing(self, body: bytes) -> None:
        """A body of any shape is read as far as it can be."""
        assert re.fullmatch("HTTP 401(: x)?", str(refusal(401, body).error([])))
