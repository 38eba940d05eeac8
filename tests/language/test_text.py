"""Text folded and split into words."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.language.text import bare, fold, words

TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included


@pytest.mark.parametrize(
    ("text", "expected"),
    [("Pão", "pao"), ("GLÚTEN", "gluten"), ("Straße", "strasse"), ("ﬁm", "fim"), ("", ""), ("já às 7ª", "ja as 7a")],
)
def test_fold(text: str, expected: str) -> None:
    """Case, accents and compatibility forms do not matter."""
    assert fold(text) == expected


@given(TEXT)
def test_fold_is_idempotent(text: str) -> None:
    """Folding folded text changes nothing."""
    assert fold(fold(text)) == fold(text)


def test_fold_is_idempotent_for_every_character() -> None:
    """Also for the rare characters that random text never holds."""
    everything = " ".join(map(chr, range(0x110000)))

    assert fold(fold(everything)) == fold(everything)


@given(TEXT)
def test_words_hold_no_syntax(text: str) -> None:
    """Words are non-empty runs of letters and digits that survive being read again and stored."""
    found = words(text)

    assert all(re.fullmatch(r"[^\W_]+", word) for word in found)
    assert words(" ".join(found)) == found
    assert "".join(found).encode() is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [(" STOP. ", "stop"), ("«Sair»!!", "sair"), ("não", "nao"), ("stop all", "stop all"), ("a-b", "a-b"), ("👍", "")],
)
def test_bare(text: str, expected: str) -> None:
    """Outer punctuation and space go, inner stay."""
    assert bare(text) == expected
