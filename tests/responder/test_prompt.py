"""What a model is told keeps within its room."""

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from appliance.model import Organization, Topic
from appliance.ports import Dialogue, Turn
from appliance.responder.prompt import MIN_ROOM, Message, TokenBudget, compose, plain, size

SHOP = Organization(1, "Padaria Sol", "pt-BR", "America/Sao_Paulo", instructions="Never offer discounts.")
words = st.builds(lambda text, times: text * times, st.text(max_size=12), st.integers(0, 500))
dialogues = st.builds(
    Dialogue,
    st.builds(Organization, st.just(1), words, st.sampled_from(["pt-BR", "en", "es"]), st.just("UTC"), words),
    st.lists(words, min_size=1, max_size=4).map(tuple),
    st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), words), max_size=4).map(tuple),
    st.lists(st.builds(Topic, st.just(1), words, words), max_size=3).map(tuple),
)


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

    @given(st.integers(1, 10_000_000), st.none() | st.integers(1, 10**9), st.none() | st.integers(1, 10**9))
    def test_what_was_refused_is_not_asked_again(self, tokens: int, limit: int | None, counted: int | None) -> None:
        """Whatever numbers a server names, each refusal makes the next prompt shorter, and a few reach the least."""
        budget = TokenBudget(tokens)
        sizes = [budget.room()]
        while budget.shrink([Message("user", "x" * (sizes[-1] - 16))], limit, counted):
            sizes.append(budget.room())

        assert sizes == sorted(set(sizes), reverse=True)
        assert sizes[-1] == 3_000
        assert len(sizes) <= 100
