"""Twilio's wire without I/O: the signature against Twilio's own validator, and forms as bytes."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from appliance.twilio.webhook import Signature, UnreadableFormError, delivery_report, inbound_message, parse_form

TOKEN = "12345"
URL = "https://example.com"
PATH = "/twilio/messages"
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FORMS = st.lists(st.tuples(TEXTS, TEXTS), max_size=8)


def signed(pairs: list[tuple[str, str]], url: str = URL + PATH, token: str = TOKEN) -> str:
    return str(RequestValidator(token).compute_signature(url, MultiDict(pairs)))


def test_the_published_example_holds() -> None:
    """Twilio docs, "Webhooks security": the example with its URL, parameters and signature."""
    form = MultiDict(
        {
            "CallSid": "CA1234567890ABCDE",
            "Caller": "+14158675310",
            "Digits": "1234",
            "From": "+14158675310",
            "To": "+18005551212",
        }
    )
    holds = Signature("https://example.com", [TOKEN]).holds
    assert holds("/myapp.php?foo=1&bar=2", form, "L/OH5YylLD5NRKLltdqwSvS0BnU=")
    assert not holds("/myapp.php?bar=2&foo=1", form, "L/OH5YylLD5NRKLltdqwSvS0BnU=")


@given(FORMS, st.sampled_from(["", "?o=1.2.ab", "?a=%C3%A1&b=%2F"]))
def test_we_agree_with_twilios_validator(pairs: list[tuple[str, str]], query: str) -> None:
    """Whatever it signs holds; whatever it rejects does not: one changed value, another token, another path."""
    form, path = MultiDict(pairs), PATH + query
    signature = signed(pairs, URL + path)
    ours = Signature(URL, [TOKEN])

    assert ours.holds(path, form, signature)
    assert RequestValidator(TOKEN).validate(URL + path, form, signature)
    assert not ours.holds(path, MultiDict([*pairs, ("extra", "x")]), signature)
    assert not ours.holds(path + "/", form, signature)
    assert not Signature(URL, ["other"]).holds(path, form, signature)


@given(FORMS)
def test_a_form_survives_the_wire(pairs: list[tuple[str, str]]) -> None:
    """Every pair, blank, repeated, with NUL or emoji, comes out in order as it went in."""
    assert list(parse_form(urlencode(pairs).encode()).items()) == pairs


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    """Hostile bytes raise one named error and nothing else."""
    try:
        form = parse_form(body)
    except UnreadableFormError:
        return
    message, report = inbound_message(form), delivery_report(form, "")
    assert message is None or message.sid
    assert report.error_code is None or report.error_code >= 0


@given(st.one_of(st.none(), st.text(max_size=50)))
def test_no_signature_of_any_kind_raises(signature: str | None) -> None:
    """Missing, empty, not ASCII: not valid, and never an exception."""
    assert not Signature(URL, [TOKEN]).holds(PATH, MultiDict({"a": "b"}), signature)


@pytest.mark.parametrize(
    ("configured", "signed_for"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com", "https://example.com:443"),
        ("https://example.com:443", "https://example.com"),
        ("http://example.com", "http://example.com:80"),
        ("https://example.com:8443", "https://example.com:8443"),
        ("https://example.com/box", "https://example.com/box"),
    ],
)
def test_standard_ports_may_be_written_or_not(configured: str, signed_for: str) -> None:
    """Twilio has signed both with and without a standard port."""
    pairs = [("Body", "Oi")]
    assert Signature(configured, [TOKEN]).holds(PATH, MultiDict(pairs), signed(pairs, signed_for + PATH))


def test_an_odd_port_is_part_of_what_is_signed() -> None:
    """A signature for another port does not hold."""
    pairs = [("Body", "Oi")]
    other = signed(pairs, f"https://example.com{PATH}")
    assert not Signature("https://example.com:8443", [TOKEN]).holds(PATH, MultiDict(pairs), other)


def test_every_accepted_token_signs() -> None:
    """During a rotation both the old and the new token hold; a third does not."""
    pairs = [("Body", "Oi")]
    holds = Signature(URL, ["new", "old"]).holds
    assert [holds(PATH, MultiDict(pairs), signed(pairs, token=token)) for token in ("new", "old", "x")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "body", [b"\xff=1", b"Body=%ff", b"Body=%ED%A0%80", "Body=á".encode(), b"&".join([b"a=1"] * 501)]
)
def test_what_is_not_utf8_or_too_much_is_unreadable(body: bytes) -> None:
    """Raw bytes above 127, escapes that are no UTF-8 (also lone surrogates), five hundred fields and one."""
    with pytest.raises(UnreadableFormError):
        parse_form(body)


def test_media_are_read_as_far_as_they_go() -> None:
    """The type may be missing, the count may lie."""
    form = MultiDict(
        {"MessageSid": "MM1", "NumMedia": "9", "MediaUrl0": "u0", "MediaContentType0": "t", "MediaUrl1": "u1"}
    )
    message = inbound_message(form)
    assert message is not None
    assert [(item.url, item.content_type) for item in message.media] == [("u0", "t"), ("u1", "")]


@pytest.mark.parametrize("count", ["", "-1", "x", "１", "99999999999999999999", "1e9"])
def test_a_senseless_media_count_is_none(count: str) -> None:
    """A count that is no small number means no media, not an error."""
    message = inbound_message(MultiDict({"MessageSid": "SM1", "NumMedia": count, "MediaUrl0": "u"}))
    assert message is not None
    assert message.media == ()
