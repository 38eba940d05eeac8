"""The password's form: its words, its limits, its cookies; and sessions that last, move and end."""

import asyncio
import re
from http.cookies import Morsel
from pathlib import Path

import aiohttp
import pytest

from appliance.model import HOUR, MINUTE, SECOND
from appliance.operations import users
from appliance.operations.passwords import hash_password
from tests.support.visitor import PASSWORD, Visitor
from tests.support.world import ManualClock, World

EMAIL = "owner@example.com"
DAY = 24 * HOUR
BEHIND_TLS = {"X-Forwarded-Proto": "https", "Host": "box.example", "Origin": "https://box.example"}
FORM = re.compile(r'<form[^>]* method="post" action="([^"#]*)(?:#\w+)?"[^>]*>(.*?)</form>', re.DOTALL)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)"')
BODY = re.compile(r'<body class="([^"]*)"')
ITS_OWN = re.compile(r"look-at|sign-out|/you|/go-live|/users/\d|/cards/")  # the user's, or with an id that is not there
OWNED = ("organizations", "users", "pauses", "knowledge", "texts")


async def tried(
    http: aiohttp.ClientSession, world: World, password: str, **headers: str
) -> tuple[int, str, dict[str, Morsel[str]]]:
    """Status, the page, and the cookies that were set."""
    form, given = {"email": EMAIL, "password": password}, {"Origin": world.address} | headers
    url = f"{world.address}/sign-in"
    async with http.post(url, data=form, headers=given, allow_redirects=False) as response:
        return response.status, await response.text(), dict(response.cookies.items())


async def test_wrong_then_a_pause_then_in(tmp_path: Path) -> None:
    """Each refusal says what comes next; after the pause the right one is taken, whose browser is known from then on."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock, language="en") as world, Visitor(world), aiohttp.ClientSession() as http:
        said = []
        for password in ("wrong one here", "", PASSWORD.upper(), PASSWORD):
            status, page, cookies = await tried(http, world, password)
            said.append((status, page.partition('<p class="alert" role="alert">')[2].partition("</p>")[0]))
            assert not cookies
        assert said == [
            (403, "E-mail or password do not fit. Two more tries, then a pause of one minute."),
            (403, "E-mail or password do not fit. One more try, then a pause."),
            (403, "E-mail or password do not fit. The next try is in 1 minute."),
            (429, "Too many tries. The next one is in 1 minute."),
        ]
        await clock.advance(60, world.settle)
        status, _, cookies = await tried(http, world, PASSWORD)
        assert (status, sorted(cookies)) == (303, ["known", "session"])
        assert users.hashed(cookies["session"].value) in await world.column("SELECT hash FROM sessions")
        kept = str(await world.rows("SELECT * FROM sessions, users"))
        assert cookies["session"].value not in kept and PASSWORD not in kept

        for _ in range(4):
            await tried(http, world, "wrong one here")
        assert (await tried(http, world, PASSWORD))[0] == 429
        known = f"known={cookies['known'].value}"
        assert (await tried(http, world, PASSWORD, Cookie=known))[0] == 303
        assert (await tried(http, world, PASSWORD, Cookie="known=" + "x" * 40))[0] == 429
        await world.appliance.store.write(lambda tx: tx.users.update(2, password_hash=hash_password(PASSWORD)))
        assert (await tried(http, world, PASSWORD, Cookie=known))[0] == 429


async def test_an_unknown_user_is_told_the_same(world: World) -> None:
    """Nobody learns who has an account, or who has no password yet."""
    answers = set()
    for email in (EMAIL, "nobody@example.com", "dono@example.com"):
        async with Visitor(world), aiohttp.ClientSession() as http:
            await world.stop()  # forgets who guessed
            await world.start()
            form = {"email": email, "password": "wrong one here"}
            headers = {"Origin": world.address}
            async with http.post(f"{world.address}/sign-in", data=form, headers=headers) as response:
                answers.add((response.status, (await response.text()).replace(email, "")))
    assert len(answers) == 1


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"email=%ed%a0%80&password=%00", "application/x-www-form-urlencoded", 403),
        (b"email=%ff%fe&password=%ff", "application/x-www-form-urlencoded", 403),
        (b"\xff\xfe=1", "application/x-www-form-urlencoded", 400),
        (b"email=a&password=b", "application/x-www-form-urlencoded; charset=nonsense", 400),
        (b"email=\\ud800&password=b", "application/x-www-form-urlencoded; charset=unicode_escape", 400),
        (b"email=+2AA-&password=b", "application/x-www-form-urlencoded; charset=utf-7", 400),
        (b"email=a&password=b", "application/x-www-form-urlencoded; charset=UTF-8", 403),
        (b"&".join([b"a=1"] * 5_000), "application/x-www-form-urlencoded", 413),
        (b"email=" + b"a" * 200_000, "application/x-www-form-urlencoded", 403),
        (b"email=" + b"a" * 300_000, "application/x-www-form-urlencoded", 413),
        (b'{"email": "a"}', "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"", "application/x-www-form-urlencoded", 403),
        (b"", "text/plain", 403),
    ],
)  # fmt: skip
async def test_an_odd_form(world: World, raw: bytes, kind: str, status: int) -> None:
    """Never a 5xx."""
    headers = {"Origin": world.address, "Content-Type": kind}
    url = f"{world.address}/sign-in"
    async with aiohttp.ClientSession() as http, http.post(url, data=raw, headers=headers) as response:
        assert response.status == status, await response.text()


async def test_cookies_behind_tls(tmp_path: Path) -> None:
    """With the prefix that binds them to this host and TLS; never to be read by scripts or sent by other sites' forms."""
    server = {"page_hosts": ("box.example",)}
    async with World(tmp_path, server=server) as world, Visitor(world), aiohttp.ClientSession() as http:
        _, _, cookies = await tried(http, world, PASSWORD, **BEHIND_TLS)
        _, _, plain = await tried(http, world, PASSWORD)
    told = {name: {key: value for key, value in each.items() if value} for name, each in cookies.items()}
    safe = {"path": "/", "secure": True, "httponly": True, "samesite": "Lax"}
    assert told == {
        "__Host-session": safe | {"max-age": str(30 * DAY // SECOND)},
        "__Host-known": safe | {"max-age": str(400 * DAY // SECOND)},
    }
    assert {(name, each["secure"], each["httponly"]) for name, each in plain.items()} == {
        ("session", "", True), ("known", "", True)
    }  # fmt: skip


async def test_what_is_looked_at_behind_tls(tmp_path: Path) -> None:
    """Nobody who may set cookies for a host beside ours chooses what an admin looks at, and does something to."""
    from appliance.operations.organizations import Registration, register_organization

    second = Registration("Florista", ["+551140000009"], "f@example.com")
    async with World(tmp_path, server={"page_hosts": ("box.example",)}) as world, Visitor(world, admin=True) as admin:
        await world.appliance.store.write(lambda tx: register_organization(tx, second))
        session = f"__Host-session={next(each.value for each in admin.http.cookie_jar if each.key == 'session')}"
        url, given = f"{world.address}/look-at", BEHIND_TLS | {"Cookie": session}
        async with admin.http.post(url, data={"organization": "2"}, headers=given, allow_redirects=False) as response:
            assert list(response.cookies) == ["__Host-organization"]
        seen = []
        for name in ("organization", "__Host-organization"):
            given = BEHIND_TLS | {"Cookie": f"{session}; {name}=2"}
            async with admin.http.get(f"{world.address}/settings", headers=given) as response:
                seen.append(re.findall(r" · ([^<]*)</title>", await response.text()))
        assert seen == [["Padaria Aurora"], ["Florista"]]


async def test_a_session_slides_for_thirty_days(tmp_path: Path) -> None:
    """Used once in a while it goes on, here and in the browser; unused for thirty days it is over."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world, Visitor(world) as visitor:
        renewed = []
        for pause in (0, 30 * MINUTE, 40 * MINUTE, 20 * DAY, 20 * DAY):
            clock._elapsed += pause
            async with visitor.http.get(f"{world.address}/") as response:
                assert response.status == 200
                renewed.append(response.cookies["session"]["max-age"] if "session" in response.cookies else None)
        assert renewed == [None, None, "2592000", "2592000", "2592000"]
        clock._elapsed += 2 * HOUR
        async with visitor.http.post(
            f"{world.address}/sign-out", headers={"Origin": world.address}, allow_redirects=False
        ) as response:
            assert response.cookies["session"]["max-age"] == "0"
        await visitor.get("/", 303)
    async with World(tmp_path / "b", clock=clock) as world, Visitor(world) as visitor:
        clock._elapsed += 30 * DAY + SECOND
        await visitor.get("/", 303)


async def test_a_session_of_somebody_elses_making_is_none(world: World) -> None:
    """A cookie that was planted before signs in nobody and does not become the session; other sessions go on."""
    async with aiohttp.ClientSession() as http, Visitor(world) as visitor:
        _, _, cookies = await tried(http, world, PASSWORD, Cookie="session=planted")
        assert cookies["session"].value != "planted"
        async with http.get(
            f"{world.address}/", headers={"Cookie": "session=planted"}, allow_redirects=False
        ) as response:
            assert response.status == 303
        await visitor.get("/")


async def test_a_new_password_ends_every_session(world: World) -> None:
    """By a link, whose form says no other page where it is; and no sign-in with the old password gets in meanwhile."""
    async with Visitor(world) as visitor, aiohttp.ClientSession() as http:
        word = await world.appliance.store.write(lambda tx: users.link(tx, users.find(tx, EMAIL)))
        url, headers = f"{world.address}/link/{word}", {"Origin": world.address}
        async with http.get(url) as response:
            assert response.headers["Referrer-Policy"] == "strict-origin"
        for weak in ("short", "owner1234567", "qwerty123456"):
            async with http.post(url, data={"password": weak}, headers=headers) as response:
                assert response.status == 400
        async with http.post(
            url, data={"password": PASSWORD + "!"}, headers=headers, allow_redirects=False
        ) as response:
            assert response.status == 303
        async with http.post(
            url, data={"password": PASSWORD + "!"}, headers=headers, allow_redirects=False
        ) as response:
            assert response.status == 410
        await visitor.get("/", 303)
        hashed = (await world.column("SELECT password_hash FROM users WHERE email = ?", EMAIL))[0]
        assert await world.appliance.store.write(lambda tx: users.sign_in_with(tx, EMAIL, "an older one")) is None
        assert await world.appliance.store.write(lambda tx: users.sign_in_with(tx, EMAIL, hashed))


async def test_a_link_lasts_an_hour(tmp_path: Path) -> None:
    """And a new one ends the older."""
    clock = ManualClock()
    async with World(tmp_path, clock=clock) as world, Visitor(world), aiohttp.ClientSession() as http:
        words = [await world.appliance.store.write(lambda tx: users.link(tx, users.find(tx, EMAIL))) for _ in range(2)]
        seen = []
        for pause, word in ((0, words[0]), (0, words[1]), (HOUR - SECOND, words[1]), (SECOND, words[1])):
            clock._elapsed += pause
            async with http.get(f"{world.address}/link/{word}") as response:
                seen.append(response.status)
        assert seen == [410, 200, 200, 410]

        clock.jump(365 * DAY / SECOND)
        word = await world.appliance.store.write(lambda tx: users.link(tx, users.find(tx, EMAIL)))
        clock.jump(-365 * DAY / SECOND)  # NTP puts it right
        async with http.get(f"{world.address}/link/{word}") as response:
            assert response.status == 410


async def test_live_events_end_with_the_session(world: World) -> None:
    """Whoever is signed out meanwhile is told once more, so that the page finds the door; HEAD does not hang."""
    async with Visitor(world) as visitor, visitor.http.get(f"{world.address}/events") as response:
        async with visitor.http.head(f"{world.address}/events") as head:
            assert head.status == 405
        await world.appliance.store.write(lambda tx: tx.users.sign_out(2))
        await world.say("oi")
        async with asyncio.timeout(20):
            rest = await response.content.read()
        assert rest.count(b"event: changed") == 1


async def test_an_admin_looks_at_another_organization(world: World) -> None:
    """Where there are several; by a cookie that means nothing for anybody else."""
    from appliance.operations.organizations import Registration, register_organization

    second = Registration("Florista & <Filhas>", ["+551140000009"], "f@example.com")
    async with Visitor(world, admin=True) as admin, Visitor(world, "plain@example.com") as plain:
        assert "/look-at" not in await admin.get("/")
        await world.appliance.store.write(lambda tx: register_organization(tx, second))
        page = await admin.get("/")
        assert 'action="/look-at"' in page and "Florista &amp; &lt;Filhas&gt;</option>" in page
        assert await admin.post("/look-at", organization="2") == "/"
        assert "<title>" in (page := await admin.get("/")) and "Florista &amp; &lt;Filhas&gt;</title>" in page
        for odd in ("3", "", "x", "-1", "9" * 30, "1 OR 1=1", "2\n"):
            await admin.post("/look-at", 404, organization=odd)
        assert "Florista" in await admin.get("/")

        assert "/look-at" not in await plain.get("/")
        await plain.post("/look-at", 404, organization="2")
        async with plain.http.get(f"{world.address}/", headers={"Cookie": _with(plain, organization="2")}) as response:
            assert "Padaria Aurora</title>" in await response.text()


async def test_a_page_of_before_changes_no_other_organization(world: World) -> None:
    """An admin who has two pages open, and by now looks at another organization, does nothing to it from the older one;
    with a script that page shows the other one as soon as it is looked at.
    """
    from appliance.operations.organizations import Registration, register_organization

    async with Visitor(world, admin=True) as admin:
        assert 'name="of"' not in await admin.get("/settings")
        second = Registration("Florista", ["+551140000009"], "f@example.com")
        await world.appliance.store.write(lambda tx: register_organization(tx, second))
        pages = {path: await admin.get(path) for path in ("/", "/settings", "/topics/new")}
        forms = [form for page in pages.values() for form in FORM.findall(page) if not ITS_OWN.search(form[0])]
        assert len(forms) > 15
        await admin.post("/look-at", organization="2")
        before = [await world.rows(f"SELECT * FROM {table}") for table in OWNED]
        for path, inside in forms:
            told = await admin.post(path, 409, **dict(HIDDEN.findall(inside)), name="Padaria", email="x@example.com")
            assert "another organization" in told
        assert [await world.rows(f"SELECT * FROM {table}") for table in OWNED] == before
        assert {BODY.search(page)[1] for page in pages.values()} != {BODY.search(await admin.get("/"))[1]}  # type: ignore[index]


def _with(visitor: Visitor, **more: str) -> str:
    kept = {each.key: each.value for each in visitor.http.cookie_jar}
    return "; ".join(f"{name}={value}" for name, value in (kept | more).items())
