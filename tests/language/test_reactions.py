"""Reactions told in words and bare emoji, told apart from what a customer asks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.language.reactions import is_emoji, is_reaction

REACTIONS = """
    Liked “Abrimos às 7h.” | Loved "See you at six" | Disliked “x” | Laughed at “he said “hi” to me” | Emphasized ‘don't’
    Questioned “Dinner at 8?” | Reacted 👍 to “ok” | Reacted 👍🏽 to “ok” | 👍 to “ok” | Removed a heart from “hi”
    Removed 👍 from “hi” | Loved an image | LIKED “x” | Curtiu “Olá!” | Não curtiu “x” | Amou “x” | Adorou “x”
    Riu de “kkk” | Enfatizou “x” | Questionou “x?” | Reagiu com ❤️ a “x” | Reagiu 😂 à “x” | Curtiu uma imagem
    Removeu uma curtida de “x” | Le gustó “hola” | No le gustó «hola» | Le encantó “x” | Le dio risa “x” | Se rio de “x”
    Indicó que le gusta “x” | Reaccionó con 🎉 a “x” | Exclamó por “x” | Le encantó una imagen
    """
QUESTIONS = """
    Liked your cake, do you deliver? | Loved the “Aurora cake”, do you deliver? | Liked “x”? | Liked "cake" or "bread"
    Liked “cake” or “bread” | Curtiu? | Amou | Le gustó | “Liked” | Curtiu o bolo “Aurora” mas é caro | um vídeo
    Gostou de Jazz? | Liked | Removed from the list? | Reacted to the “cake” with an allergy, what is in it?
    """
EMOJI = "👍|👍🏽|👨‍👩‍👧‍👦|🇧🇷|❤️|❤|🙏🙏 !|🤷🏽‍♀️|✅|⭐️|🏴󠁧󠁢󠁥󠁮󠁧󠁿|☺️|🫶|‼️|♾️|✌🏻|🎂 🎉\n🎈"
WORDS = "1|1️⃣|2️⃣|❓|❔|⁉️|?|👍?|👍 ok|ok|STOP 🛑|:)|!||®nd|3 🎂"


@pytest.mark.parametrize(
    "text", [each.strip() for line in REACTIONS.split("\n") for each in line.split("|") if each.strip()]
)
def test_a_reaction_in_words_is_one(text: str) -> None:
    """In three languages, with any quotes, also of what has no words, also taken back."""
    assert is_reaction(text)
    assert is_reaction(f" {text.upper()}\n")


@pytest.mark.parametrize(
    "text", [each.strip() for line in QUESTIONS.split("\n") for each in line.split("|") if each.strip()]
)
def test_what_only_begins_like_a_reaction_is_none(text: str) -> None:
    """The quote must be the whole rest."""
    assert not is_reaction(text)


def test_a_long_quote_of_several_lines_is_one() -> None:
    """A tapback on an answer has the whole answer in it."""
    assert is_reaction("Curtiu “Abrimos:\n\n- seg a sex, 7h às 19h;\n- “feriados”: fechado.”")


@pytest.mark.parametrize("text", EMOJI.split("|"))
def test_bare_emoji_are_seen(text: str) -> None:
    """Skin tones, joined ones, flags, and marks around them that ask nothing."""
    assert is_emoji(text)


@pytest.mark.parametrize("text", WORDS.split("|"))
def test_what_may_ask_or_choose_is_no_bare_emoji(text: str) -> None:
    """A digit on a keycap may answer a menu, a question mark asks however it is drawn."""
    assert not is_emoji(text)


@given(st.text(max_size=60))
def test_words_are_never_bare_emoji(text: str) -> None:
    """Whatever has a letter or a digit in it says something."""
    assert not is_emoji(f"{text}a")
    assert not is_emoji(f"7{text}")


@pytest.mark.parametrize(
    "text", ["Liked “" + "a" * 200_000, "removed a " + "a " * 100_000, "curtiu '" * 50_000, "👍" * 200_000 + "x"]
)
def test_a_hostile_text_is_judged_at_once(text: str) -> None:
    """No pattern goes back and forth over a long text."""
    assert not is_reaction(text)
    assert not is_emoji(text)


@pytest.mark.parametrize(
    "text",
    ["Pregunto por “el pastel”", "Dudo de “su precio”", "Pregunto por un contacto", "Liked ‘the cake’, got ‘pies’"],
)
def test_what_a_customer_says_of_something_is_no_reaction(text: str) -> None:
    """The first person lacks the accent; two quotations are two things."""
    assert not is_reaction(text)


@pytest.mark.parametrize("text", ["Preguntó por “el pastel”", "Liked ‘I don’t know’"])
def test_a_phones_own_words_are_one(text: str) -> None:
    """With the accent, and with an apostrophe in the quotation."""
    assert is_reaction(text)
