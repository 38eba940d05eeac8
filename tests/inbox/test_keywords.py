"""What a message does to its sender's consent, and who may be written to at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.inbox.keywords import REMINDER_EVERY, Change, Consent, read
from appliance.model import TextKey, may_be_written_to
from appliance.wire import InboundMessage

NOW = 1_800_000_000_000
BY_TWILIO = "answered by Twilio"
NORMAL = Consent()
LEAVES = Consent(Change.OUT, TextKey.OPTED_OUT)
RETURNS = Consent(Change.IN, TextKey.OPTED_IN)
TWILIO_OUT = Consent(Change.OUT, suppressed=BY_TWILIO)
TWILIO_IN = Consent(Change.IN, suppressed=BY_TWILIO)
TWILIO_HELP = Consent(suppressed=BY_TWILIO)
REPEATED = Consent(suppressed="opted out already")
SILENT = Consent(suppressed="opted out", card=True)
REMINDED = Consent(notice=TextKey.OPTED_OUT_REMINDER, card=True)


def judge(
    body: str, channel: str = "", *, out: bool = False, kind: str = "", reminded_at: int | None = None
) -> Consent:
    message = InboundMessage(
        "SM1", "AC1", f"{channel}+5511999990000", f"{channel}+551140028922", body, opt_out_type=kind
    )
    return read(message, opted_out=out, reminded_at=reminded_at, now=NOW)


@pytest.mark.parametrize(
    "word", ["STOP", "StopAll", "UNSUBSCRIBE", "cancel", "END", "quit", "REVOKE", "OPTOUT", " stop. "]
)
def test_sms_words_of_twilio(word: str) -> None:
    """Twilio answers its eight words itself: noted, nothing sent, in and out."""
    assert judge(word) == TWILIO_OUT
    assert judge(word, out=True) == TWILIO_OUT


@pytest.mark.parametrize("channel", ["", "whatsapp:"])
@pytest.mark.parametrize("word", ["SAIR", "parar", "Pare!", "DESCADASTRAR", "Baja", " «sair» "])
def test_our_words_on_both_channels(channel: str, word: str) -> None:
    """Our words opt out with one confirmation; repeated they get nothing."""
    assert judge(word, channel) == LEAVES
    assert judge(word, channel, out=True) == REPEATED


def test_stop_on_whatsapp() -> None:
    """Nothing is automatic on WhatsApp: STOP is confirmed by us."""
    assert judge("STOP", "whatsapp:") == LEAVES
    assert judge("stop", "whatsapp:", out=True) == REPEATED


@pytest.mark.parametrize(
    "body",
    ["CANCELAR", "REMOVER", "CANCEL", "END", "QUIT", "HELP", "INFO", "YES", "UNSTOP", "START", "VOLTAR", "STOPALL"],
)
def test_ordinary_words_on_whatsapp(body: str) -> None:
    """Ordinary chat answers stay ordinary, and coming back means nothing to who never left."""
    assert judge(body, "whatsapp:") == NORMAL


@pytest.mark.parametrize("channel", ["", "whatsapp:"])
@pytest.mark.parametrize("body", ["quero cancelar meu pedido", "stop it", "pare de falar", "sair de casa", "", "👍"])
def test_only_the_whole_message_counts(channel: str, body: str) -> None:
    """A keyword inside a sentence is a sentence."""
    assert judge(body, channel) == NORMAL


@pytest.mark.parametrize("channel", ["", "whatsapp:"])
@pytest.mark.parametrize("word", ["VOLTAR", "iniciar", "Volver."])
def test_our_words_back(channel: str, word: str) -> None:
    """Only while opted out they bring back, with a confirmation."""
    assert judge(word, channel, out=True) == RETURNS
    assert judge(word, channel) == NORMAL


def test_start_on_whatsapp() -> None:
    """START is ours to answer on WhatsApp, and only while opted out."""
    assert judge("Start", "whatsapp:", out=True) == RETURNS


@pytest.mark.parametrize(("word", "inside"), [("START", TWILIO_IN), ("YES", NORMAL), ("UNSTOP", NORMAL)])
def test_sms_words_back_of_twilio(word: str, inside: Consent) -> None:
    """Twilio answers them; YES and UNSTOP are ordinary answers unless opted out."""
    assert judge(word, out=True) == TWILIO_IN
    assert judge(word) == inside


@pytest.mark.parametrize("word", ["HELP", "info", "Help!"])
@pytest.mark.parametrize("out", [True, False])
def test_help_on_sms(word: str, out: bool) -> None:
    """HELP and INFO are answered by Twilio."""
    assert judge(word, out=out) == TWILIO_HELP


@pytest.mark.parametrize("channel", ["", "whatsapp:"])
@pytest.mark.parametrize("out", [True, False])
@pytest.mark.parametrize(
    ("kind", "body", "expected"),
    [
        ("STOP", "chega de mensagens", TWILIO_OUT),
        ("STOP", "SAIR", TWILIO_OUT),
        ("START", "sim", TWILIO_IN),
        ("start", "VOLTAR", TWILIO_IN),
        ("HELP", "STOP", TWILIO_HELP),
    ],
)
def test_advanced_opt_out_is_trusted(channel: str, out: bool, kind: str, body: str, expected: Consent) -> None:
    """OptOutType decides over our own matching and is never confirmed by us."""
    assert judge(body, channel, out=out, kind=kind) == expected


def test_an_unknown_opt_out_type_is_not_believed() -> None:
    """A value Twilio may add later leaves our own matching in force."""
    assert judge("SAIR", "whatsapp:", kind="SOMETHING") == LEAVES


@pytest.mark.parametrize(
    ("reminded_at", "expected"),
    [
        (None, REMINDED),
        (NOW - REMINDER_EVERY, REMINDED),
        (NOW - REMINDER_EVERY + 1, SILENT),
        (NOW, SILENT),
        (NOW + 1, REMINDED),  # written by a clock that was wrong
    ],
)
def test_the_reminder_on_whatsapp(reminded_at: int | None, expected: Consent) -> None:
    """An opted-out contact is told once in 24 hours how to return; the owner always sees a card."""
    assert judge("vocês abrem hoje?", "whatsapp:", out=True, reminded_at=reminded_at) == expected


def test_sms_while_opted_out() -> None:
    """No text may go out on SMS (Twilio would refuse it), the owner sees a card."""
    assert judge("vocês abrem hoje?", out=True) == SILENT


@given(st.text(st.characters(exclude_categories=())), st.sampled_from(["", "whatsapp:", "messenger:"]), st.booleans())
def test_a_message_is_noticed_or_suppressed_never_both(body: str, channel: str, out: bool) -> None:
    """Any text gets one clear verdict, and nobody who left is answered normally."""
    verdict = judge(body, channel, out=out)

    assert verdict.notice is None or verdict.suppressed is None
    assert not out or verdict.notice or verdict.suppressed
    assert verdict.change != Change.OUT or not out or verdict.suppressed


@pytest.mark.parametrize(
    "address",
    [
        *["+5511999990000", "5511999990000", "whatsapp:+5511999990000", "whatsapp:BR.abcDEF123", "whatsapp:BR.ENT.a1"],
        *["messenger:123456", "messenger:1234567890", "rcs:+5511999990000", "rcs:agent_x"],
    ],
)
def test_may_be_written_to(address: str) -> None:
    """Phones, hidden WhatsApp users and other channels may be answered."""
    assert may_be_written_to(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("12345", "short code"),
        ("+12345", "short code"),
        ("123", "short code"),
        ("whatsapp:12345", "short code"),
        ("MYBANK", "alphanumeric sender"),
        ("Bank 24h", "alphanumeric sender"),
        ("12", "alphanumeric sender"),
        ("", "alphanumeric sender"),
        ("whatsapp:", "alphanumeric sender"),
        ("１２３４５６７８９", "alphanumeric sender"),
    ],
)
def test_may_not_be_written_to(address: str, reason: str) -> None:
    """Machines get no automatic text."""
    assert may_be_written_to(address) == reason
