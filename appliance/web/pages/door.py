"""Getting in and out: /sign-in, /link/{token}, /sign-out."""

from aiohttp import hdrs, web

from appliance.errors import RequestError
from appliance.logs import Seldom
from appliance.model import HOUR, MINUTE, SECOND
from appliance.operations import passwords, users
from appliance.web.desk import Desk
from appliance.web.pages import hosts
from appliance.web.pages.guard import (
    SIGN_IN,
    begin_session,
    cookie_name,
    end_session,
    first_organization,
    keep,
    read_form,
)
from appliance.web.pages.page import Page, rendered
from appliance.web.pages.site import Site
from appliance.web.pages.tries import Reason, Refused, Tries
from appliance.web.pages.turnstile import Turnstile
from appliance.web.pages.words import Words

KNOWN = "known"  # cookie: this browser signed in before
_CROWDED = "Many try to sign in just now. Try it again in a minute."
KNOWN_FOR = 400 * 24 * HOUR  # as long as browsers keep a cookie


class Door:
    def __init__(self, desk: Desk) -> None:
        self._store = desk.store
        self._trusted = desk.config.server.trusted_proxies
        self._tries = Tries()
        self._seldom = Seldom()
        self._turnstile = Turnstile()

    def add_to(self, site: Site) -> None:
        site.open("GET", SIGN_IN, self.ask)
        site.open("POST", SIGN_IN, self.sign_in)
        site.open("GET", "/link/{token}", self.link)
        site.open("POST", "/link/{token}", self.redeem)
        site.post("/sign-out", self.sign_out)

    async def ask(self, _request: web.Request) -> web.StreamResponse:
        return rendered("signin.html", await self._words(), email="", refusal="")

    async def sign_in(self, request: web.Request) -> web.StreamResponse:
        if not await self._turnstile.passed():
            raise RequestError("crowded", _CROWDED, status=429)
        form = await read_form(request)
        email, password = form.get("email", "").strip(), form.get("password", "")
        user, asked = await self._store.read(lambda tx: (tx.users.named(email), first_organization(tx)))
        words, hashed = _words(*asked), user.password_hash if user else None
        browser = users.known(user, request.cookies.get(cookie_name(request, KNOWN), ""))
        who, is_known = browser or hosts.client(request, self._trusted), browser is not None
        refused = self._tries.begin(who, words.now, known=is_known)
        if refused is not None:
            self._seldom.tell("warning", "sign-in refused", reason="too many tries")
            return _refused(words, email, _told(words, refused), refused)
        fits = False
        try:
            fits = await passwords.fits(password, hashed)
        finally:
            self._tries.end(who, words.now, known=is_known, fits=fits)
        if not fits or hashed is None:
            self._seldom.tell(
                "warning", "sign-in refused", reason="e-mail or password", address="" if is_known else who
            )
            return _refused(words, email, _left(words, self._tries, who))
        cookie = await self._store.write(lambda tx: users.sign_in_with(tx, email, hashed))
        if cookie is None:
            return _refused(words, email, _left(words, self._tries, who))
        return self._let_in(request, cookie, hashed)

    def _let_in(self, request: web.Request, cookie: str, password_hash: str) -> web.Response:
        response = web.Response(status=303, headers={"Location": "/"})
        begin_session(request, response, cookie)
        keep(request, response, cookie_name(request, KNOWN), users.mark(password_hash), KNOWN_FOR)
        return response

    async def link(self, request: web.Request) -> web.StreamResponse:
        return await self._linked(request)

    async def redeem(self, request: web.Request) -> web.StreamResponse:
        word, form = request.match_info["token"], await read_form(request)
        about = await self._store.read(lambda tx: users.invited(tx, word))
        if about is None:
            return await self._linked(request)
        try:
            hashed = await passwords.make(form.get("password", ""), about)
        except RequestError as error:
            return await self._linked(request, error)
        cookie = await self._store.write(lambda tx: users.redeem(tx, word, hashed))
        return self._let_in(request, cookie, hashed) if cookie else await self._linked(request)

    async def _linked(self, request: web.Request, error: RequestError | None = None) -> web.StreamResponse:
        """The link's form, as long as it can be used. With the link in its address the page tells no other where it is,
        while its form still says whose it is.
        """
        link = users.hashed(request.match_info["token"])
        user, words = await self._store.read(lambda tx: tx.users.linked(link)), await self._words()
        status, refusal = (error.status, words.t(error.words, **error.values)) if error else (200, "")
        response = rendered("link.html", words, status if user else 410, user=user, refusal=refusal)
        response.headers[hdrs.REFERRER_POLICY] = "strict-origin"
        return response

    async def sign_out(self, page: Page) -> web.StreamResponse:
        await page.write(lambda tx: tx.users.end_session(page.visit.session))
        response = web.Response(status=303, headers={"Location": SIGN_IN})
        end_session(page.request, response)
        return response

    async def _words(self) -> Words:
        return _words(*await self._store.read(first_organization))


def _words(now: int, language: str, timezone: str) -> Words:
    return Words(language, timezone, now)


def _refused(words: Words, email: str, told: str, refused: Refused | None = None) -> web.Response:
    response = rendered("signin.html", words, 429 if refused else 403, email=email, refusal=told)
    if refused:
        response.headers[hdrs.RETRY_AFTER] = str(-(-refused.wait // SECOND))
    return response


def _told(words: Words, refused: Refused) -> str:
    if refused.reason is Reason.CROWDED:
        return words.t(_CROWDED)
    count = -(-refused.wait // MINUTE)
    one, many = (
        "Too many tries. The next one is in {count} minute.",
        "Too many tries. The next one is in {count} minutes.",
    )
    return words.n(one, many, count)


def _left(words: Words, tries: Tries, who: str) -> str:
    """What is said after a try that does not fit."""
    match tries.left(who, words.now):
        case 0:
            count = -(-tries.wait(who, words.now) // MINUTE)
            one = "E-mail or password do not fit. The next try is in {count} minute."
            return words.n(one, "E-mail or password do not fit. The next try is in {count} minutes.", count)
        case 1:
            return words.t("E-mail or password do not fit. One more try, then a pause.")
    return words.t("E-mail or password do not fit. Two more tries, then a pause of one minute.")
