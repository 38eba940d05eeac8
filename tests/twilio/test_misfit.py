"""Twilio's wire: why a signature does not hold, against Twilio's own validator."""

from itertools import product
from urllib.parse import urlencode

import pytest
from multidict import CIMultiDict, MultiDict
from twilio.request_validator import RequestValidator

from appliance.twilio.misfit import LONGEST, MOST, explain
from appliance.twilio.webhook import Request, Signer, Signers
from appliance.wire import MESSAGES_PATH, STATUS_PATH, Misfit, MisfitKind

MAIN = Signer("main", "AC" + "0" * 32, ["main's", "main's old"])
CHILD = Signer("child", "AC" + "1" * 32, ["child's", *MAIN.tokens], "main")
FRIEND = Signer("friend", "AC" + "2" * 32, ["friend's"])
ALL = [MAIN, CHILD, FRIEND]
RIGHT = "https://box.example.com"


def pairs_of(account: Signer, **more: str) -> list[tuple[str, str]]:
    return [("AccountSid", account.account_sid), ("MessageSid", "SM1"), ("Body", "olá & adeus"), *more.items()]


def asked(
    signed: str,
    *,
    configured: str = RIGHT,
    hook: str = MESSAGES_PATH,
    target: str | None = None,
    account: Signer = MAIN,
    token: str = "main's",
    method: str = "POST",
    signed_as: str = "POST",
    headers: dict[str, str] | None = None,
    signers: list[Signer] = ALL,
) -> Misfit | None:
    """What is said of a request that Twilio signed for `signed`, and that came in as the rest says."""
    pairs = pairs_of(account)
    query = f"?{urlencode(pairs)}"
    url = signed + query if signed_as == "GET" and method == "GET" else signed
    signature = RequestValidator(token).compute_signature(url, MultiDict(pairs if signed_as == "POST" else []))
    received = Request(
        (target or hook) + (query if method == "GET" else ""),
        CIMultiDict({"Host": "127.0.0.1:8080", "X-Twilio-Signature": signature} | (headers or {})),
        b"" if method == "GET" else urlencode(pairs).encode(),
        method=method,
    )
    return explain(received, hook, MultiDict(pairs), configured, signers)


FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "box.example.com"}
HOST = {"Host": "box.example.com"}
WRONG = {
    "scheme": ("http://box.example.com", RIGHT, {}),
    "the other scheme": (RIGHT, "http://box.example.com", {}),
    "host as received": (RIGHT, "https://old.example.com", HOST),
    "host before the proxy": (RIGHT, "https://old.example.com", FORWARDED),
    "several proxies": (RIGHT, "https://old.example.com", {"X-Forwarded-Host": "box.example.com, inner.local"}),
    "RFC 7239": (RIGHT, "https://old.example.com", {"Forwarded": 'for=1.2.3.4;host="box.example.com";proto=https'}),
    "port as received": (f"{RIGHT}:8443", RIGHT, {"Host": "box.example.com:8443"}),
    "port before the proxy": (f"{RIGHT}:8443", RIGHT, HOST | {"X-Forwarded-Port": "8443"}),
    "no port": (RIGHT, f"{RIGHT}:8443/app", {}),
    "standard port in the URL that is signed": ("http://box.example.com:80", RIGHT, {}),
    "no prefix": (RIGHT, f"{RIGHT}/app", {}),
    "prefix that a proxy took": (f"{RIGHT}/app", RIGHT, {"X-Forwarded-Prefix": "/app/"}),
    "prefix in nginx's header": (f"{RIGHT}/app", RIGHT, {"X-Original-URI": "/app{hook}?a=b"}),
    "prefix in Azure's header": (f"{RIGHT}/a/b", RIGHT, {"X-Original-URL": "https://box.example.com/a/b{hook}"}),
    "trailing slash": (RIGHT, f"{RIGHT}/app/", {}),
    "scheme and host": (RIGHT, "http://localhost", HOST),
    "scheme and prefix": (RIGHT, "http://box.example.com/app", {}),
    "host and port": (f"{RIGHT}:8443", "https://localhost", {"Host": "box.example.com:8443"}),
    "scheme, host and port": ("http://10.0.0.7:8080", RIGHT, {"Host": "10.0.0.7:8080"}),
    "scheme, host and prefix": (f"{RIGHT}/app", "http://localhost", FORWARDED | {"X-Forwarded-Prefix": "/app"}),
}


@pytest.mark.parametrize("hook", [MESSAGES_PATH, STATUS_PATH])
@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_public_url(case: str, hook: str) -> None:
    """The one that would fit is named, and with it the signature does hold."""
    signed, configured, told = WRONG[case]
    headers = {name: value.replace("{hook}", hook) for name, value in told.items()}

    found = asked(signed + hook, configured=configured, hook=hook, headers=headers)

    assert found is not None
    assert found.kind == MisfitKind.URL
    assert found.public_url == ("http://box.example.com" if signed.endswith(":80") else signed)
    assert found.url == signed + hook
    assert (found.strip, found.method, found.other) == ("", "", "")
    form = MultiDict(pairs_of(MAIN))
    signature = RequestValidator("main's").compute_signature(signed + hook, form)
    assert Signers(found.public_url, ALL).of(hook, form, signature) == ("main",)


@pytest.mark.parametrize(
    ("signed", "target", "configured", "expected"),
    [
        (f"/app{MESSAGES_PATH}", f"/app{MESSAGES_PATH}", f"{RIGHT}/app", (MisfitKind.PATH, "", "/app")),
        (f"/app{MESSAGES_PATH}", f"/app{MESSAGES_PATH}", RIGHT, (MisfitKind.URL, f"{RIGHT}/app", "/app")),
        (f"{MESSAGES_PATH}/", f"{MESSAGES_PATH}/", RIGHT, (MisfitKind.SLASH, "", "")),
        (f"{MESSAGES_PATH}/", MESSAGES_PATH, RIGHT, (MisfitKind.SLASH, "", "")),
        (f"/{MESSAGES_PATH}", MESSAGES_PATH, RIGHT, (MisfitKind.SLASH, "", "")),
    ],
)
def test_a_path_that_is_not_the_hooks(
    signed: str, target: str, configured: str, expected: tuple[MisfitKind, str, str]
) -> None:
    """A prefix that the proxy leaves, a slash at the end or twice: what the setting cannot heal is said as well."""
    found = asked(RIGHT + signed, target=target, configured=configured)

    assert found is not None
    assert (found.kind, found.public_url, found.strip) == expected
    assert found.console == (RIGHT + MESSAGES_PATH if expected[0] == MisfitKind.SLASH else found.console)


@pytest.mark.parametrize(
    ("account", "token", "expected"),
    [
        (MAIN, "main's old", None),  # it may; so this is about the URL below
        (MAIN, "friend's", (MisfitKind.TOKEN, "friend")),
        (MAIN, "child's", (MisfitKind.TOKEN, "child")),
        (CHILD, "friend's", (MisfitKind.TOKEN, "friend")),
        (FRIEND, "child's", (MisfitKind.TOKEN, "child")),
        (FRIEND, "main's", (MisfitKind.PARENT, "main")),
        (FRIEND, "main's old", (MisfitKind.PARENT, "main")),
    ],
)
def test_a_token_of_another_account(account: Signer, token: str, expected: tuple[MisfitKind, str] | None) -> None:
    """Whose it is; and that the account may be that one's subaccount, where it can be. With a wrong URL besides, both."""
    right = asked(RIGHT + MESSAGES_PATH, account=account, token=token)
    both = asked(f"http://box.example.com{MESSAGES_PATH}", account=account, token=token)

    assert both is not None
    assert (both.kind, both.public_url) == (MisfitKind.URL, "http://box.example.com")
    if expected:
        assert right is not None
        assert (right.kind, right.other) == expected
        assert both.other == expected[1]


@pytest.mark.parametrize(
    ("hook", "method", "signed_as", "expected"),
    [
        (MESSAGES_PATH, "POST", "GET", "GET"),
        (MESSAGES_PATH, "GET", "POST", "POST"),
        (STATUS_PATH, "GET", "GET", "GET"),
        (STATUS_PATH, "POST", "GET", "GET"),
    ],
)
def test_another_method(hook: str, method: str, signed_as: str, expected: str) -> None:
    """Signed as GET and come as POST, the other way round, and a callback by GET; with another scheme as well."""
    for scheme, kind in (("https", MisfitKind.METHOD), ("http", MisfitKind.URL)):
        found = asked(f"{scheme}://box.example.com{hook}", hook=hook, method=method, signed_as=signed_as)

        assert found is not None
        assert (found.kind, found.method) == (kind, expected)


def test_a_get_by_another_url() -> None:
    """The messages' hook takes GET, so nothing is said of the method; and no parameter stands in what is said."""
    found = asked(f"http://box.example.com{MESSAGES_PATH}", method="GET", signed_as="GET")

    assert found is not None
    assert (found.kind, found.method, found.url) == (MisfitKind.URL, "", f"http://box.example.com{MESSAGES_PATH}")


def test_what_nothing_here_fits() -> None:
    """Another's token, an account that is not ours, a prefix that nobody tells, no signature, one that is none."""
    stranger = Signer("stranger", "AC" + "9" * 32, ["stranger's"])

    assert asked(RIGHT + MESSAGES_PATH, token="stranger's") is None
    assert asked(f"http://box.example.com{MESSAGES_PATH}", account=stranger) is None
    assert asked(f"{RIGHT}/app{MESSAGES_PATH}") is None
    assert asked(RIGHT + MESSAGES_PATH, headers={"X-Twilio-Signature": ""}) == Misfit(MisfitKind.UNSIGNED)
    assert asked(RIGHT + MESSAGES_PATH, headers={"X-Twilio-Signature": "é" * 28}) is None


HOSTILE = ["", "a" * 5000, "[", "http://[", "\r\n", "//", "é", "%", "host=", "x:99999999", ",", "?#", "/" * 900]


@pytest.mark.parametrize("name", ["Host", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "Forwarded"])
def test_hostile_headers(name: str) -> None:
    """Whatever stands there raises nothing, and a token of ours is still found."""
    for value in HOSTILE:
        found = asked(f"http://box.example.com{MESSAGES_PATH}", headers={name: value, "X-Original-URI": value})
        assert found is not None
        assert found.public_url == "http://box.example.com"


def test_a_stranger_is_cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a hundred accounts, every header set and the longest body, at most MOST signatures; a longer body, none."""
    computed = 0
    original = RequestValidator.compute_signature

    def counted(self: RequestValidator, *values: object) -> str:
        nonlocal computed
        computed += 1
        return str(original(self, *values))

    signers = [MAIN, *(Signer(f"a{n}", f"AC{n:032}", [f"t{n}", f"u{n}"]) for n in range(1, 100))]
    names = ("Host", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Original-URI", "X-Original-URL")
    told = dict.fromkeys(names, "") | {"Host": "a:1", "X-Forwarded-Host": "b:2", "X-Forwarded-Port": "3"}
    told |= {"Forwarded": "host=c:4", "X-Forwarded-Prefix": "/d", "X-Original-URI": f"/e{MESSAGES_PATH}"}
    header = told | {"X-Twilio-Signature": "A" * 27 + "="}
    form = MultiDict(pairs_of(MAIN, more="x" * 60_000))
    monkeypatch.setattr(RequestValidator, "compute_signature", counted)

    for size, method in product((LONGEST, LONGEST + 1), ("GET", "POST")):
        computed = 0
        request = Request(f"{MESSAGES_PATH}?a=b", header, b"x" * size, method=method)
        assert explain(request, MESSAGES_PATH, form, f"{RIGHT}:8443/app", signers) is None
        assert computed == (MOST if size == LONGEST else 0)
    assert MOST <= 100
