"""Twilio's wire without I/O: the signature against Twilio's own validator, and forms as bytes."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from appliance.twilio.webhook import (
    RefusedError,
    Request,
    Signature,
    Signer,
    Signers,
    UnreadableFormError,
    delivery_report,
    inbound_message,
    message,
    parse_form,
)

TOKEN = "12345"
URL = "https://example.com"
PATH = "/twilio/messages"
OURS = Signers(URL, [Signer("main", "AC1", [TOKEN])])
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
        ("https://example.com:8443", "https://example.com"),
        ("http://example.com:8080/box", "http://example.com/box"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]"),
        ("https://example.com/box", "https://example.com/box"),
    ],
)
def test_ports_may_be_written_or_not(configured: str, signed_for: str) -> None:
    """Twilio has signed both with and without a port, also with one of the owner's choice."""
    pairs = [("Body", "Oi")]
    assert Signature(configured, [TOKEN]).holds(PATH, MultiDict(pairs), signed(pairs, signed_for + PATH))


@pytest.mark.parametrize("configured", ["https://example.com", "https://example.com:8443", "http://example.com:8080"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("port", ["", ":80", ":443", ":8443", ":8080", ":9443"])
def test_ports_are_what_twilios_own_validator_takes(configured: str, scheme: str, port: str) -> None:
    """With and without the configured one; another port or scheme never."""
    form = MultiDict([("Body", "Oi")])
    signature = signed(list(form.items()), f"{scheme}://example.com{port}{PATH}")

    assert Signature(configured, [TOKEN]).holds(PATH, form, signature) == RequestValidator(TOKEN).validate(
        configured + PATH, form, signature
    )


def test_a_get_is_signed_by_its_url_alone() -> None:
    """What POST has in its body is in the query then; a body that somebody adds says nothing."""
    query = urlencode({"MessageSid": "SM1", "From": "+1", "To": "+2", "Body": "olá + tchau & 100%"})
    target = f"{PATH}?{query}"
    header = {"X-Twilio-Signature": signed([], URL + target)}

    found = message(Request(target, header, b"MessageSid=SM2", method="GET"), OURS)

    assert (found.sid, found.sender, found.body) == ("SM1", "+1", "olá + tchau & 100%")


@pytest.mark.parametrize("target", [PATH, f"{PATH}?MessageSid=SM1", f"{PATH}?MessageSid=SM1&Body=%ff"])
def test_a_get_that_is_not_whole_is_refused(target: str) -> None:
    """Without a sid, with another query than the one that was signed, with bytes that are no text."""
    header = {"X-Twilio-Signature": signed([], URL + target if target == PATH else f"{URL}{target}&x=1")}
    with pytest.raises(RefusedError):
        message(Request(target, header, b"", method="GET"), OURS)


def test_a_signature_over_a_form_does_not_hold_for_get() -> None:
    """What was signed as POST cannot be replayed with other parameters in the URL."""
    pairs = [("MessageSid", "SM1"), ("Body", "Oi")]
    target = f"{PATH}?{urlencode(pairs)}"
    with pytest.raises(RefusedError, match="bad signature"):
        message(Request(target, {"X-Twilio-Signature": signed(pairs)}, b"", method="GET"), OURS)


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
    """The type may be missing, the count may lie, and one of several may be left out."""
    form = MultiDict(
        {"MessageSid": "MM1", "NumMedia": "9", "MediaUrl0": "u0", "MediaContentType0": "t", "MediaUrl3": "u3"}
    )
    message = inbound_message(form)
    assert message is not None
    assert [(item.url, item.content_type) for item in message.media] == [("u0", "t"), ("u3", "")]


@pytest.mark.parametrize("count", ["", "-1", "x", "１", "99999999999999999999", "1e9"])
def test_a_senseless_media_count_is_none(count: str) -> None:
    """A count that is no small number means no media, not an error."""
    message = inbound_message(MultiDict({"MessageSid": "SM1", "NumMedia": count, "MediaUrl0": "u"}))
    assert message is not None
    assert message.media == ()
