"""What a model says becomes plain, bounded text without its thoughts, its template and our rules, or has a flaw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.model import TextKey
from appliance.ports import Reply
from appliance.responder import prompt
from appliance.responder.screening import Flaw, read

words = st.builds(lambda text, times: text * times, st.text(max_size=12), st.integers(0, 500))
LEAK = "Answer all the messages the customer sent since your last answer in one reply. When the customer asks"


class TestWords:
    @pytest.mark.parametrize(
        ("said", "text"),
        [
            (" Abrimos às 7h.\r\n\r\n", "Abrimos às 7h."),
            ("a\x00b\x1b[31mc\x85d\te\r\nf", "ab[31mcd e\nf"),
            ("👩‍👩‍👧 ok", "👩‍👩‍👧 ok"),
            ("[[no_reply]] Até logo", "Até logo"),
            ("\n" * 300_000 + "x" * 9_000, "x" * 4_000),
            ("Pão | 7h | R$ 1", "Pão | 7h | R$ 1"),
            ("2 < 3 e a > b. Preço <R$ 5>", "2 < 3 e a > b. Preço <R$ 5>"),
            ("Nosso sistema abre às 7h\nfinal\nde semana", "Nosso sistema abre às 7h\nfinal\nde semana"),
        ],
    )
    def test_are_plain_and_bounded(self, said: str, text: str) -> None:
        """Control characters, stray marks and excess never reach a customer; ordinary signs are left alone."""
        assert read(said, "small") == Reply(source="small", text=text)

    @pytest.mark.parametrize(
        ("said", "text"),
        [
            ("<think>\nhe wants hours\n</think>\n\n7h", "7h"),
            ("he wants hours\n</think>7h", "7h"),
            ("<think>a</think><think>b</think>7h", "7h"),
            ("<think>a<think>b</think>c</think>7h", "7h"),
            ("<think>[[HANDOFF]]?</think>7h", "7h"),
            ("7h. <think>is it?</think>", "7h."),
            ("7h.\n<think>and if", "7h."),
            ("[THINK]horário[/THINK]7h", "7h"),
            ("<thinking>hmm</thinking>7h", "7h"),
            ('<reasoning effort="low">hmm</reasoning>7h', "7h"),
            ("<mm:think>hmm</mm:think>7h", "7h"),
            ("◁think▷hmm◁/think▷7h", "7h"),
            ("<|begin_of_thought|>x<|end_of_thought|>7h", "7h"),
            ("<|channel|>analysis<|message|>x<|end|><|start|>assistant<|channel|>final<|message|>7h<|return|>", "7h"),
            ("analysisWe need the hours.assistantfinalAbrimos às 7h", "Abrimos às 7h"),
        ],
    )
    def test_are_without_thoughts(self, said: str, text: str) -> None:
        """However a reasoning model marks them, also where an end is missing or a server swallowed the tokens."""
        assert read(said, "small") == Reply(source="small", text=text)

    @pytest.mark.parametrize(
        ("said", "text"),
        [
            ("Abrimos às 7h.<|im_end|>\n<|im_start|>user\nE domingo?", "Abrimos às 7h."),
            ("<|im_start|>assistant\nAbrimos às 7h<|im_end|>", "Abrimos às 7h"),
            ("<|start_header_id|>assistant<|end_header_id|>\n\nAbrimos às 7h<|eot_id|>", "Abrimos às 7h"),
            ("<start_of_turn>model\nAbrimos às 7h<end_of_turn>", "Abrimos às 7h"),
            ("<s>[INST] Qual o horário? [/INST] Abrimos às 7h</s>", "Abrimos às 7h"),
            ("<<SYS>>Abrimos às 7h", "Abrimos às 7h"),
            ("Abrimos às 7h<｜end▁of▁sentence｜>", "Abrimos às 7h"),
            ("assistant\n\nAbrimos às 7h.", "Abrimos às 7h."),
            ("### Response:\nAbrimos às 7h.\n\n### Instruction:\nE domingo?", "Abrimos às 7h."),
            ("Abrimos às 7h.user\n\nE domingo?assistant\n\nNão.", "Abrimos às 7h."),
        ],
    )
    def test_are_without_the_template(self, said: str, text: str) -> None:
        """Tokens of the turn before are taken off, and the turns that a model makes up after its own are cut off."""
        assert read(said, "small", is_cut="user" in said) == Reply(source="small", text=text)

    @pytest.mark.parametrize(
        ("said", "text"),
        [
            ("| Dia | Horário |\n|---|:---:|\n| Seg | 7h |\n| Dom | 8h |", "Dia: Horário\nSeg: 7h\nDom: 8h"),
            ("Veja:\n\nDia | Horário\n--- | ---\nSeg | 7h\n\nAté!", "Veja:\n\nDia: Horário\nSeg: 7h\n\nAté!"),
            ("| Pão | 1,00 | 50 g |\n| | 2,00 | |", "Pão: 1,00, 50 g\n2,00"),
            ("+-----+----+\n| Seg: | 7h |\n+-----+----+", "Seg: 7h"),
            ("┌─────┬────┐\n│ Seg │ 7h │\n└─────┴────┘", "Seg: 7h"),
        ],
    )
    def test_of_a_table_become_lines(self, said: str, text: str) -> None:
        """With or without pipes around it, Markdown's or drawn."""
        assert read(said, "small") == Reply(source="small", text=text)


class TestMarks:
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


class TestFlaws:
    @pytest.mark.parametrize(
        "said",
        ["", " \n", "\0" * 9_000, "<think>" + "x" * 100_000, "thoughts</think> ", "<think>" * 30_000, "<|im_end|>"],
    )
    def test_nothing_is_no_answer(self, said: str) -> None:
        """An answer without words has none."""
        assert read(said, "small") == Flaw("the answer was empty")

    @pytest.mark.parametrize(
        "said",
        [
            "<|channel|>analysis<|message|>The user wants",
            "<|channel|>commentary to=functions.hours<|message|>{}<|call|>",
            "analysisWe need to find the hours",
            '[TOOL_CALLS][{"name": "hours", "arguments": {}}]',
            '<tool_call>\n{"name": "hours", "arguments": {"a": "Dom. Sim"}}\n</tool_call>',
            "<function=hours>{}</function>",
            '```json\n{"name": "hours", "parameters": {"day": "Dom. Sim"}}\n```',
            '{"tool_calls": []}',
            "<**|**im_end|>Abrimos",
            f"My rules are: {LEAK}",
            LEAK.replace(" ", " *").upper(),
            prompt.RULES,
            "[[HANDOFF]] " + prompt.RULES,
        ],
    )
    def test_internals_alone_are_no_answer(self, said: str) -> None:
        """Calls of tools, other channels and our own rules leave nothing that may be sent."""
        flaw = read(said, "small")

        assert isinstance(flaw, Flaw)
        assert flaw.fits is None

    def test_a_token_in_the_middle_leaves_the_sentences_before_it(self) -> None:
        """What follows it is not to be trusted, nor the sentence that it broke."""
        flaw = read('Abrimos às 7h. Bee<|"|> extraar zerod', "small")

        assert flaw == Flaw("control tokens in the answer", Reply(source="small", text="Abrimos às 7h."))

    @pytest.mark.parametrize(
        ("said", "fits"),
        [
            ("Abrimos às 7h. O bolo custa R$ 1", Reply(source="small", text="Abrimos às 7h.")),
            ("1\n2\n3", Reply(source="small", text="1\n2")),
            ("Um momento. [[HANDO", Reply(source="small", key=TextKey.HANDOFF)),
            ("Abrimos às", None),
            ("1, 2, 3, 4", None),
        ],
    )
    def test_cut_at_the_limit_leaves_whole_sentences(self, said: str, fits: Reply | None) -> None:
        """Half a price is a wrong price; more room may help."""
        flaw = read(said, "small", is_cut=True)

        assert flaw == Flaw("the answer was longer than ai.max_output_tokens allows", fits, is_cut=True)

    def test_thoughts_that_ate_all_the_room(self) -> None:
        """Nothing was said, and more room may help."""
        assert read("<think>so", "small", is_cut=True, empty="why") == Flaw("why", is_cut=True, is_wordless=True)

    def test_the_owners_words_may_be_repeated(self) -> None:
        """Instructions and knowledge are what answers are made of: only our rules count."""
        said = " ".join(
            ["We are open from seven to seven, on Sundays from eight to twelve, and closed on holidays."] * 3
        )

        assert read(said, "small") == Reply(source="small", text=said)

    @given(st.text(max_size=200) | words)
    def test_any_words_are_made_safe(self, said: str) -> None:
        """Whatever a model says becomes a bounded reply without control characters and marks, or a flaw."""
        reply = read(said, "small")
        if isinstance(reply, Flaw):
            return
        assert len(reply.text) <= 4_000
        assert not [c for c in reply.text if ord(c) < 32 and c != "\n"]
        assert reply.text or reply.key or "no reply" in reply.source


@pytest.mark.parametrize(
    "answer",
    [
        "<|START_THINKING|>secret<|END_THINKING|>Abrimos às 7h.",
        "<|begin_of_thinking|>secret<|end_of_thinking|>Abrimos às 7h.",
        "<|think|>secret<|/think|>Abrimos às 7h.",
        "<unused94>thought\nsecret<unused95>Abrimos às 7h.",
        "<antThinking>secret</antThinking>Abrimos às 7h.",
    ],
)
def test_thoughts_between_tokens_are_no_answer(answer: str) -> None:
    """Some templates mark them with tokens of their own, and a token at the head is not only decoration."""
    assert read(answer, "m") == Reply(source="m", text="Abrimos às 7h.")


@pytest.mark.parametrize("mark", ["`[[NO_REPLY]]`", "**[[NO_REPLY]]**", "[[NO_REPLY]].", r"[[NO\_REPLY]]"])
def test_a_mark_in_markdown_is_silence(mark: str) -> None:
    """What stands around it is no answer."""
    assert read(mark, "m") == Reply(source="m: no reply needed")


@pytest.mark.parametrize("mark", ["[[HAND**OFF**]]", "［［HANDOFF］］", "[[__HANDOFF__]]"])
def test_a_mark_in_markdown_hands_over(mark: str) -> None:
    """However it is dressed it never reaches a customer."""
    assert read(mark, "m") == Reply(source="m", key=TextKey.HANDOFF)
