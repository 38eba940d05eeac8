"""What Smart Encoding changes, against the simulator's own copy of Twilio's list."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.simulator.segments import GSM_7, GSM_7_EXTENDED, segments
from appliance.simulator.smart_encoding import REPLACED, smart_encoded
from appliance.texts import normalise
from appliance.twilio.encoding import outgoing

SMS, WHATSAPP = "+5511988887777", "whatsapp:+5511988887777"
CHANGED = "".join(chr(int(code, 16)) for codes in REPLACED.values() for code in codes.split())
TEXTS = st.text(st.one_of(st.characters(exclude_categories=["Cs"]), st.sampled_from(CHANGED)), max_size=40)


@given(TEXTS)
def test_twilio_changes_nothing_that_we_stored(text: str) -> None:
    """What is stored is what Twilio's log has, and it is stored once: storing it again changes nothing."""
    stored = outgoing(text, SMS)

    assert smart_encoded(stored) == stored
    assert outgoing(stored, SMS) == stored == normalise(stored)


@given(st.text(st.sampled_from(sorted(GSM_7 | GSM_7_EXTENDED) + list("ãçõêáÃ🎂é\u200d"))))
def test_what_an_sms_can_carry_and_what_has_no_look_alike_stays(text: str) -> None:
    """Every character of GSM-7, the accents of Portuguese, emoji."""
    assert outgoing(text, SMS) == normalise(text)


@given(TEXTS)
def test_other_channels_have_no_such_alphabet(text: str) -> None:
    """WhatsApp and RCS get what was written."""
    assert outgoing(text, WHATSAPP) == outgoing(text, "rcs:agent") == normalise(text)


@pytest.mark.parametrize("character", CHANGED)
def test_each_is_replaced_as_twilio_does(character: str) -> None:
    """But that a space is one space, and that the two guillemets keep their sides."""
    twilio, ours = smart_encoded(f"a{character}b"), outgoing(f"a{character}b", SMS)

    if unicodedata.normalize("NFC", f"a{character}b") == f"a{character}b":  # else it is one letter with its accent
        sides = {"\u2039": "a<b", "\u203a": "a>b", "\x00": "ab"}
        assert ours == sides.get(character, "a b" if twilio.split() != [twilio] else twilio)


def test_quotes_and_dashes_cost_no_second_segment() -> None:
    """A hundred characters with a curly quote are one segment again."""
    said = "“Bolo de cenoura” – R$ 40… " * 4

    assert (segments(said), segments(outgoing(said, SMS))) == (2, 1)
    assert outgoing("“Olá” – só às 7h…", SMS) == '"Olá" - só às 7h...'
