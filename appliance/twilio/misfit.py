"""Why a webhook's signature does not hold: what would have fitted. It explains a refusal and never takes one back.

A stranger has none of our tokens, so nothing of theirs ever fits. Whatever the request says of its own host is a guess
to try here, and worth nothing without the signature.
"""

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from urllib.parse import urlsplit

from multidict import MultiDict
from twilio.request_validator import RequestValidator

from appliance.model import MAIN
from appliance.twilio.webhook import Request, Signer
from appliance.wire import MESSAGES_PATH, Misfit, MisfitKind

MOST = 96  # signatures that are computed for one request
LONGEST = 64 * 1024  # bytes of a body; Twilio's are far shorter
_HOSTS = 8  # besides the configured one
_DEAREST = 4  # as far as several differences at once are tried
_SIGNATURE = re.compile(r"[A-Za-z0-9+/]{27}=")
_HOST = re.compile(r"(?:[0-9A-Za-z.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_PORT = re.compile(r":[0-9]{1,5}$")
_ORIGIN = re.compile("^https?://[^/]+")
_PREFIX = re.compile(r"(?:/[0-9A-Za-z._~%-]+){1,8}")
_PORTS = {"https": ":443", "http": ":80"}
_ORIGINAL = ("X-Original-URI", "X-Original-URL", "X-Forwarded-Uri", "X-Envoy-Original-Path")
Tried = list[tuple[int, str]]
"""What may stand in a place, and how unlikely: nothing for what is configured."""


@dataclass(frozen=True, slots=True)
class _Way:
    """One way in which Twilio may have signed. `base`: before the path, as `server.public_url` names it; `url`: without
    its query.
    """

    cost: int
    base: str
    url: str
    as_get: bool


def explain(
    request: Request, hook: str, form: MultiDict[str], public_url: str, signers: Sequence[Signer]
) -> Misfit | None:
    """What would have fitted, or None: nothing that is known here. `hook`: the path that the request was meant for."""
    account = next((each for each in signers if each.account_sid == form.get("AccountSid")), None)
    if account is None or len(request.body) > LONGEST or not request.target.isascii():
        return None
    presented = request.headers.get("X-Twilio-Signature", "")
    if not presented:
        return Misfit(MisfitKind.UNSIGNED)
    if not _SIGNATURE.fullmatch(presented):
        return None
    _, mark, query = request.target.partition("?")
    said = "".join(name + value for name in sorted(set(form)) for value in sorted(set(form.getall(name))))
    tries = product(_ways(request, hook, public_url), _tokens(account, signers))
    for way, (_, token, owner) in sorted(tries, key=lambda each: each[0].cost + each[1][0])[:MOST]:
        in_query = way.as_get or request.method != "GET"
        signed = way.url + (mark + query if in_query else "") + ("" if way.as_get else said)
        computed = RequestValidator(token).compute_signature(signed, {})
        if hmac.compare_digest(computed.encode(), presented.encode()):
            return _told(way, request, hook, public_url, account, owner)
    return None


def _ways(request: Request, hook: str, public_url: str) -> list[_Way]:
    """The likeliest, first. What Twilio did with ports is tried by `Signature` as well."""
    path, is_get, parts = request.target.partition("?")[0], request.method == "GET", urlsplit(public_url)
    slashed = path.rstrip("/") if path.endswith("/") else f"{path}/"
    places = product(
        [(0, parts.scheme), (1, "http" if parts.scheme == "https" else "https")],
        _hosts(parts.netloc, request.headers),
        [(0, False), (2, True)],
        _prefixes(parts.path, hook, request.headers),
        [(0, path), (2, slashed)],
        [(0, is_get), (2, not is_get)],
    )
    found: dict[tuple[str, bool], _Way] = {}
    for (a, scheme), (b, host), (c, ported), (d, prefix), (e, rest), (f, as_get) in places:
        cost = a + b + c + d + e + f
        if cost > _DEAREST or (ported and _PORT.search(host)):
            continue
        url = f"{scheme}://{host}{_PORTS[scheme] if ported else ''}{prefix}{rest}"
        known = found.get((url, as_get))
        if known is None or cost < known.cost:
            found[url, as_get] = _Way(cost, f"{scheme}://{host}{prefix}", url, as_get)
    return sorted(found.values(), key=lambda way: way.cost)[:MOST]


def _hosts(netloc: str, headers: Mapping[str, str]) -> Tried:
    """The configured one with its port and without; those that the request names, and what these make together."""
    bare = _PORT.sub("", netloc)
    forwarded = re.search(r'host="?([^;,"\s]+)', headers.get("Forwarded", ""), re.IGNORECASE)
    told = [headers.get("X-Forwarded-Host", "").partition(",")[0].strip(), headers.get("Host", "")]
    told += [forwarded[1]] if forwarded else []
    seen = [host for host in told if _HOST.fullmatch(host)]
    ports = [found[0] for host in seen if (found := _PORT.search(host))]
    if _PORT.fullmatch(port := ":" + headers.get("X-Forwarded-Port", "").partition(",")[0].strip()):
        ports.insert(0, port)
    names = [bare, *(_PORT.sub("", host) for host in seen)]
    others = dict.fromkeys([*seen, *names, *(name + port for port in ports for name in names)])
    ours = dict.fromkeys([bare, netloc])
    return [(0, host) for host in ours] + [(1, host) for host in others if host not in ours][:_HOSTS]


def _prefixes(configured: str, hook: str, headers: Mapping[str, str]) -> Tried:
    """Before the path: the configured one, none, what a proxy says it took away, or a slash too many."""
    told = [headers.get("X-Forwarded-Prefix", "").partition(",")[0].strip().rstrip("/")]
    for name in _ORIGINAL:
        path = _ORIGIN.sub("", headers.get(name, "").partition("?")[0])
        told += [path.removesuffix(hook)] if path.endswith(hook) else []
    plain = configured.rstrip("/")
    likely = dict.fromkeys([plain, "", *(each for each in told if _PREFIX.fullmatch(each))])
    found = {configured: 0} | {each: 1 for each in likely if each != configured}
    for each in (f"{plain}/", "/"):
        found.setdefault(each, 2)
    return [(cost, prefix) for prefix, cost in found.items()]


def _tokens(account: Signer, signers: Sequence[Signer]) -> list[tuple[int, str, Signer | None]]:
    """The account's, then all others', each as that of the first who has it: parents stand before subaccounts."""
    found: dict[str, tuple[int, str, Signer | None]] = {}
    for number, token in enumerate(account.tokens):
        found.setdefault(token, (min(number, 1), token, None))
    for each in sorted(signers, key=lambda signer: bool(signer.parent)):
        for token in each.tokens:
            found.setdefault(token, (2, token, each))
    return list(found.values())


def _told(way: _Way, request: Request, hook: str, public_url: str, account: Signer, owner: Signer | None) -> Misfit:
    """What differs, as that which must be changed. `owner`: whose token it is, where that is not the account's."""
    strip = request.target.partition("?")[0].rstrip("/").removesuffix(hook)
    base, parts = way.base + strip, urlsplit(public_url)
    fits = base.rstrip("/")
    is_ours = fits in (public_url, parts._replace(netloc=_PORT.sub("", parts.netloc)).geturl())
    is_slashed = base.endswith("/") or way.url.endswith("/")
    is_get = request.method == "GET"
    method = ("GET" if way.as_get else "POST") if way.as_get != is_get or (is_get and hook != MESSAGES_PATH) else ""
    is_childs = bool(owner and not owner.parent and not account.parent and account.name != MAIN)
    kinds = {
        MisfitKind.URL: not is_ours,
        MisfitKind.PATH: bool(strip),
        MisfitKind.SLASH: is_slashed,
        MisfitKind.METHOD: bool(method),
        MisfitKind.PARENT: is_childs,
        MisfitKind.TOKEN: True,
    }
    return Misfit(
        next(kind for kind, is_so in kinds.items() if is_so),
        url=way.url,
        public_url="" if is_ours else fits,
        strip=strip,
        console=fits + hook
        if is_slashed
        else public_url.rstrip("/") + hook
        if hook == MESSAGES_PATH and not is_ours
        else "",
        method=method,
        other=owner.name if owner else "",
        is_childs=is_childs,
    )
