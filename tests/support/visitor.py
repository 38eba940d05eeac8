"""A browser without a script: signs in, follows, fills in forms; the pages' own rules apply to it."""

from types import TracebackType
from typing import Self

import aiohttp

from appliance.operations import users
from appliance.operations.passwords import hash_password
from tests.support.world import World

PASSWORD = "quatro palavras bem simples"
_hashed: list[str] = []


class Visitor:
    """`async with Visitor(world, email) as visitor`: signed in as a user of the world's organization, made if needed."""

    def __init__(self, world: World, email: str = "owner@example.com", *, admin: bool = False) -> None:
        self.world = world
        self.email = email
        self.admin = admin
        self.address = world.appliance.address
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))

    async def __aenter__(self) -> Self:
        if not _hashed:
            _hashed.append(hash_password(PASSWORD))
        store = self.world.appliance.store

        def make(tx):  # type: ignore[no-untyped-def]
            if tx.users.named(self.email) is None:
                users.add(tx, tx.organizations.page_of_the_box(limit=1)[0].id, self.email, admin=self.admin)
            user = tx.users.named(self.email)
            tx.users.update(user.id, password_hash=_hashed[0], admin=int(self.admin))
            return users.sign_in(tx, user)

        cookie = await store.write(make)
        self.http.cookie_jar.update_cookies({"session": cookie}, response_url=_url(self.address))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.close()

    async def get(self, path: str, expected: int = 200) -> str:
        async with self.http.get(self.address + path, allow_redirects=False) as response:
            assert response.status == expected, (path, response.status, await response.text())
            return await response.text()

    async def post(self, path: str, expected: int = 303, **form: str) -> str:
        """The page that comes back; of a redirection its address."""
        origin = {"Origin": self.address}
        async with self.http.post(self.address + path, data=form, headers=origin, allow_redirects=False) as response:
            assert response.status == expected, (path, response.status, await response.text())
            return response.headers.get("Location", "") if expected == 303 else await response.text()


def _url(address: str):  # type: ignore[no-untyped-def]
    from yarl import URL

    return URL(address)
