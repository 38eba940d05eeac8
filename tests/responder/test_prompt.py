"""What a model is told keeps within its room; what it says becomes plain, bounded text."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import Organization, TextKey, Topic, Turn
from appliance.ports import Dialogue, Reply, Retryable
from appliance.responder.prompt import MIN_ROOM, Message, TokenBudget, compose, plain, read, size

SHOP = Organization(1, "Padaria Sol", "pt-BR", "America/Sao_Paulo", instructions="Never offer discounts.")
words = st.builds(lambda text, times: text * times, st.text(max_size=12), st.integers(0, 500))
dialogues = st.builds(
    Dialogue,
    st.builds(Organization, st.just(1), words, st.sampled_from(["pt-BR", "en", "es"]), st.just("UTC"), words),
    st.lists(words, min_size=1, max_size=4).map(tuple),
    st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), words), max_size=4).map(tuple),
    st.lists(st.builds(Topic, st.just(1), words, words), max_size=3).map(tuple),
)


class TestRead:
    @pytest.mark.parametrize(
        ("said", "text"),
        [
            (" Abrimos às 7h.\r\n\r\n", "Abrimos às 7h."),
            ("a\x00b\x1b[31mc\x85d\te\r\nf", "ab[31mcd e\nf"),
            ("<think>\nhe wants hours\n</think>\n\n7h", "7h"),
            ("he wants hours\n</think>7h", "7h"),
            ("<think>a</think><think>b</think>7h", "7h"),
            ("<think>[[HANDOFF]]?</think>7h", "7h"),
            ("👩‍👩‍👧 ok", "👩‍👩‍👧 ok"),
            ("[[no_reply]] Até logo", "Até logo"),
            ("\n" * 300_000 + "x" * 9_000, "x" * 4_000),
        ],
    )
    def test_is_bounded_plain_text(self, said: str, text: str) -> None:
        """Thoughts, control characters, stray marks and excess never reach a customer."""
        assert read(said, "small") == Reply(source="small", text=text)

    @pytest.mark.parametrize(
        "said", ["[[HANDOFF]]", " [[handoff]].\n", "Vou chamar alguém. [[HANDOFF]]", "[[NO_REPLY]][[HANDOFF]]"]
    )
    def test_handover_wins(self, said: str) -> None:
        """The handover mark counts wherever it stands."""
        assert read(said, "small") == Reply(source="small", key=TextKey.HANDOFF)

    @pytest.mark.parametrize("said", ["[[NO_REPLY]]", "\n[[No_Reply]] \n"])
    def test_can_be_silence(self, said: str) -> None:
        """The other mark is no reply, and says so in the source."""
        assert read(said, "small") == Reply(source="small: no reply needed")

    @pytest.mark.parametrize("said", ["", " \n", "\0" * 9_000, "<think>" + "x" * 100_000, "thoughts</think> "])
    def test_nothing_is_no_answer(self, said: str) -> None:
        """An answer without words is worth another try."""
        with pytest.raises(Retryable, match="empty"):
            read(said, "small")

    @given(st.text(max_size=200) | words)
    def test_any_words_are_made_safe(self, said: str) -> None:
        """Whatever a model says becomes a bounded reply without control characters and marks, or Retryable."""
        try:
            reply = read(said, "small")
        except Retryable:
            return
        assert len(reply.text) <= 4_000
        assert not [c for c in reply.text if ord(c) < 32 and c != "\n"]
        assert reply.text or reply.key or "no reply" in reply.source


class TestCompose:
    @given(dialogues, st.integers(MIN_ROOM, 60_000))
    def test_keeps_within_the_room(self, dialogue: Dialogue, room: int) -> None:
        """Whatever its parts weigh, the prompt fits; the rules and the newest question are always in it."""
        messages = compose(dialogue, room)

        assert size(messages) <= room
        assert [message.role for message in messages].count("system") == 1
        assert messages[0].role == "system"
        assert "[[HANDOFF]]" in messages[0].content
        assert messages[-1].role == "user"
        newest = plain(dialogue.questions[-1])
        assert newest[:200] in messages[-1].content
        roles = [message.role for message in messages[1:]]
        assert all(one != other for one, other in pairwise(roles))
        assert all(message.content for message in messages)

    def test_a_full_length_question_is_never_cut(self) -> None:
        """The longest message Twilio delivers, 1,600 characters, stays whole in the smallest room."""
        messages = compose(Dialogue(replace(SHOP, name="ã" * 300), ("é" * 1_000 + "e" * 600,)), MIN_ROOM)

        assert len(messages[-1].content) == 1_600

    def test_the_newest_history_is_kept(self) -> None:
        """Where not all turns fit, the oldest go, without a gap, and every question stays."""
        turns = tuple(Turn("user" if n % 2 else "assistant", f"turn {n} " + "x" * 500) for n in range(99))
        messages = compose(Dialogue(SHOP, ("first", "second"), turns), MIN_ROOM)

        kept = [m.content.split(" x")[0] for m in messages[1:-1]]
        assert kept == [f"turn {n}" for n in range(99 - len(kept), 99)]
        assert 0 < len(kept) < 99
        assert messages[-1].content == "first\nsecond"

    def test_the_best_knowledge_is_kept(self) -> None:
        """The best topic is there even if it must be cut; what no longer fits is left out whole."""
        topics = (Topic(1, "best", "b" * 50_000), Topic(2, "next", "n" * 50_000))
        system = compose(Dialogue(SHOP, ("q",), topics=topics), 12_000)[0].content

        assert "## best\nbbb" in system
        assert "## next" not in system

    def test_an_empty_organization_has_no_empty_sections(self) -> None:
        """No instructions and no knowledge leave no bare headings."""
        system = compose(Dialogue(replace(SHOP, instructions=""), ("q",)), MIN_ROOM)[0].content

        assert "# Instructions" not in system
        assert "# Knowledge" not in system

    def test_what_utf_8_cannot_carry_is_dropped(self) -> None:
        """Lone surrogates and NULs do not stop a customer from being answered; a blank question says it is one."""
        dialogue = Dialogue(SHOP, ("oi\ud800\x00 tudo", "\0"), turns=(Turn("assistant", "\udfff"),))

        assert compose(dialogue, MIN_ROOM)[1:] == [
            Message("user", "oi tudo\n(message without text)"),
        ]


class TestTokenBudget:
    @given(st.lists(st.none() | st.floats() | st.floats(0, 1e308), max_size=20))
    def test_no_count_breaks_it(self, counts: list[float | None]) -> None:
        """Absurd counts neither starve nor inflate the prompt."""
        budget = TokenBudget(8_000)
        for count in counts:
            budget.learn([Message("user", "oi")], count)

        assert 8_000 <= budget.room() <= 40_000

    def test_an_empty_prompt_teaches_nothing_absurd(self) -> None:
        """A tiny context still leaves room for the rules."""
        assert TokenBudget(10).room() == MIN_ROOM
