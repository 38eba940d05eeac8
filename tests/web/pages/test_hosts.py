"""Under which names the pages answer, whose forms are taken, and whose address counts."""

import socket
from ipaddress import ip_network
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import make_mocked_request
from multidict import CIMultiDict

from appliance.web.pages import hosts
from tests.support.visitor import Visitor
from tests.support.world import World

NAME = socket.gethostname().lower().partition(".")[0]
OURS = ["127.0.0.1", "127.0.0.1:8080", "localhost", "LOCALHOST:1", "localhost.", "[::1]:8080", "[fe80::1]", "192.168.1.7",
        f"{NAME}.local", f"{NAME.upper()}.LOCAL.:8080", "box.example", "BOX.EXAMPLE:443", "box.example."]  # fmt: skip
STRANGE = ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "xbox.example", "box.example.evil", NAME,
           "user@127.0.0.1", "127.0.0.1@evil.example", "2130706433", "0x7f.1", "127.1", "::1", "[::1", "[fe80::1%25eth0]",
           "127.0.0.1:80:80", "127.0.0.1:", "127.0.0.1:x", "", " ", "tunnel.example", "a.localhost", "localhost..",
           "127.0.0.1,box.example", "127.0.0.1 box.example", "１２７.0.0.1"]  # fmt: skip
FORWARDED = ["Forwarded", "X-Forwarded-For", "x-forwarded-host", "X-Forwarded-Anything", "X-Real-IP", "Via", "CF-Connecting-IP",
             "Tailscale-Ingress", "Ngrok-Trace-Id"]  # fmt: skip


def asked(host: str | None, **headers: str) -> bool:
    """Whether the pages answer."""
    from appliance.config.sections import Server

    given = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
    if host is not None:
        given["Host"] = host
    return hosts.is_for_pages(make_mocked_request("GET", "/", given), Server(page_hosts=("box.example",)))


def test_the_names_of_the_pages() -> None:
    """localhost, addresses, <hostname>.local and what is listed, however they are written; nothing that looks like it."""
    assert [name for name in OURS if not asked(name)] == []
    assert [name for name in STRANGE if asked(name)] == []
    assert not asked(None)


def test_two_hosts_are_none() -> None:
    """Whoever stands between reads the other one."""
    from appliance.config.sections import Server

    headers = CIMultiDict([("Host", "127.0.0.1"), ("Host", "evil.example")])
    assert not hosts.is_for_pages(make_mocked_request("GET", "/", headers), Server())


@pytest.mark.parametrize("header", FORWARDED)
def test_through_a_proxy_only_what_is_listed(header: str) -> None:
    """A tunnel made for Twilio that names localhost shows nothing."""
    assert not asked("localhost", **{header: "x"})
    assert not asked("127.0.0.1", **{header: "x"})
    assert asked("box.example", **{header: "x"})


@pytest.mark.parametrize(
    ("ours", "headers"),
    [
        (True, {"Origin": "http://192.168.1.7:8080"}),
        (True, {"Origin": "HTTP://192.168.1.7:8080"}),
        (True, {"Origin": "http://192.168.1.7:8080", "Sec-Fetch-Site": "same-origin"}),
        (True, {"Sec-Fetch-Site": "same-origin"}),
        (True, {"Origin": "https://192.168.1.7:8080"}),  # a proxy that does not say that it speaks TLS
        (True, {"Origin": "https://192.168.1.7:8080", "X-Forwarded-Proto": "https, http"}),
        (False, {"Origin": "http://192.168.1.7:8080", "X-Forwarded-Proto": "https"}),
        (False, {}),
        (False, {"Origin": "null"}),
        (False, {"Origin": ""}),
        (False, {"Origin": "null", "Sec-Fetch-Site": "same-origin"}),
        (False, {"Origin": "http://192.168.1.7:8080", "Sec-Fetch-Site": "same-site"}),
        (False, {"Origin": "http://192.168.1.7:8080", "Sec-Fetch-Site": "cross-site"}),
        (False, {"Origin": "http://192.168.1.7:8080", "Sec-Fetch-Site": "none"}),
        (False, {"Sec-Fetch-Site": "none"}),
        (False, {"Origin": "http://192.168.1.7"}),
        (False, {"Origin": "http://192.168.1.7:8081"}),
        (False, {"Origin": "http://192.168.1.7:8080.evil.example"}),
        (False, {"Origin": "http://user@192.168.1.7:8080"}),
        (False, {"Origin": "http://192.168.1.7:8080/"}),
        (False, {"Origin": "http://192.168.1.7:8080 http://evil.example"}),
        (False, {"Origin": "file://192.168.1.7:8080"}),
        (False, {"Origin": "http://localhost:8080"}),
        (False, {"Origin": "192.168.1.7:8080"}),
        (False, {"Referer": "http://192.168.1.7:8080/"}),
    ],
)
def test_whose_forms_are_taken(ours: bool, headers: dict[str, str]) -> None:
    """Of this very address alone, over plain http on the LAN as well, where browsers send no Sec-Fetch-Site."""
    request = make_mocked_request("POST", "/pause", {"Host": "192.168.1.7:8080", **headers})
    assert hosts.is_from_here(request) is ours


def test_two_origins_are_none() -> None:
    """A browser sends one."""
    headers = CIMultiDict([("Host", "a.b"), ("Origin", "http://a.b"), ("Origin", "http://evil.example")])
    assert not hosts.is_from_here(make_mocked_request("POST", "/", headers))


@pytest.mark.parametrize(
    ("peer", "forwarded", "counts"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # no proxy of ours: believed is nothing
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # whatever the client says of itself
        ("10.0.0.1", "198.51.100.1, 10.0.0.2", "198.51.100.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:1234", "10.0.0.1"),
        ("10.0.0.1", "10.0.0.9", "10.0.0.9"),
        ("::ffff:10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", "fe80::/64"),
        ("10.0.0.1", "2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
    ],
)
def test_whose_address_counts(peer: str, forwarded: str, counts: str) -> None:
    """X-Forwarded-For only from trusted proxies, read from the end; an IPv6 line is one."""
    request = make_mocked_request("POST", "/sign-in", {"Host": "a", "X-Forwarded-For": forwarded})
    request = request.clone(remote=peer)
    assert hosts.client(request, (ip_network("10.0.0.0/8"),)) == counts


async def test_a_tunnel_shows_nothing_else(tmp_path: Path) -> None:
    """Under the tunnel's name each path of the pages is as unknown as any other, for every method; webhooks answer."""
    paths = ("/", "/sign-in", "/link/x", "/events", "/static/pages.css", "/look-at", "/sign-out", "/nothing-there")
    async with World(tmp_path) as world, aiohttp.ClientSession() as http:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            for given in ({"Host": "tunnel.example"}, {"X-Forwarded-For": "198.51.100.1"}, {"Host": "evil.example"}):
                answers = set()
                for path in paths:
                    headers = {"Accept": "text/html", **given}
                    async with http.request(method, world.address + path, headers=headers) as response:
                        told = {name: value for name, value in response.headers.items() if name != "Date"}
                        answers.add((response.status, await response.text(), str(sorted(told.items()))))
                assert len(answers) == 1, (method, given, answers)
                assert answers.pop()[0] == 404
        async with http.post(f"{world.address}/twilio/messages", headers={"Host": "tunnel.example"}) as response:
            assert response.status == 403
        async with http.get(f"{world.address}/healthz", headers={"Host": "tunnel.example"}) as response:
            assert response.status == 200


@pytest.mark.parametrize(
    "path",
    ["//", "//conversations", "/./", "/conversations/../", "/%2e%2e/", "/%2f", "/conversations%2f", "/sign-in/", "/sign-in/..", "/;/",
     "/static/../", "/static/..%2f..%2fapp.py", "/static/%2e%2e", "/link/", "/link/a%2fb", "//evil.example/%2e%2e", "/\\evil.example"],
)  # fmt: skip
async def test_no_spelling_of_a_path_goes_around_the_door(world: World, path: str) -> None:
    """Whoever is not signed in gets the door or nothing, and is led to no other place."""
    from yarl import URL

    async with (
        aiohttp.ClientSession() as http,
        http.get(URL(world.address + path, encoded=True), allow_redirects=False) as response,
    ):
        assert response.status in (303, 404, 410)
        assert response.headers.get("Location", "/sign-in") == "/sign-in"
        assert "Padaria" not in await response.text() or response.status == 410


async def test_over_plain_http_on_the_lan(tmp_path: Path) -> None:
    """As a phone in the shop does it: by an address, without Sec-Fetch; the cookie then has no prefix."""
    async with World(tmp_path) as world, Visitor(world) as visitor:
        lan = {"Host": "192.168.1.7:8080", "Origin": "http://192.168.1.7:8080"}
        async with visitor.http.get(f"{world.address}/", headers=lan) as response:
            assert response.status == 200
        async with visitor.http.post(f"{world.address}/sign-out", headers=lan, allow_redirects=False) as response:
            assert response.headers["Location"] == "/sign-in"
        assert await world.column("SELECT count(*) FROM sessions") == [0]
