"""Who may use the API: the key over HTTP, the control socket without one, and nobody around them."""

from pathlib import Path

import aiohttp
import pytest

from tests.support.api_client import api_of, control_of
from tests.support.world import API_KEY, CUSTOMER, SMS, World

MESSAGE = {"from": SMS, "to": CUSTOMER, "body": "O pão está pronto."}


def _routes(world: World) -> list[tuple[str, str]]:
    app = world.appliance._listeners._runners[0].app
    found = {(route.method, route.resource.canonical) for route in app.router.routes() if route.resource}
    return sorted((method, path.replace("{id}", "1").replace("{kind}", "x")) for method, path in found)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "wrong"}, 401),
        ({"X-API-Key": API_KEY[:-1]}, 401),
        ({"X-API-Key": "ключ"}, 401),
        ({"Authorization": f"Basic {API_KEY}"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": f"Bearer {API_KEY}"}, 0),
        ({"Authorization": f"bearer {API_KEY}"}, 0),
        ({"X-API-Key": API_KEY}, 0),
    ],
)
async def test_every_guarded_route_wants_the_key(world: World, headers: dict[str, str], status: int) -> None:
    """Generated from the route table; what is open to anyone or signed by Twilio is not asked for a key."""
    routes = _routes(world)
    assert len(routes) > 20
    async with aiohttp.ClientSession(headers=headers) as session:
        for method, path in routes:
            guarded = path.startswith("/api/") or path == "/metrics"
            async with session.request(method, world.address + path) as response:
                refused = response.status == 401
                assert refused == (guarded and status == 401), (method, path, response.status)
                assert response.headers["X-Content-Type-Options"] == "nosniff"
                assert response.headers["Server"] == "appliance"
                assert "Set-Cookie" not in response.headers
                assert response.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/v1", "/%61pi/v1/status", "/api/v1/../v1/status", "//api/v1/status"]
)
async def test_no_spelling_goes_around_the_key(world: World, path: str) -> None:
    """Whatever a path looks like, without the key there is no answer."""
    async with aiohttp.ClientSession() as session, session.get(world.address + path) as response:
        assert response.status in (401, 404)


async def test_without_a_configured_key_there_is_no_api(tmp_path: Path) -> None:
    """404 whatever is presented; the control socket still answers."""
    async with World(tmp_path, server={"api_key": None}) as world:
        async with api_of(world) as api:
            for path in ("status", "messages", "nothing"):
                assert (await api.call("GET", path))[0] == 404
            async with api.session.get(f"{world.address}/metrics") as response:
                assert response.status == 404
        async with control_of(world) as control:
            assert (await control.get("status"))["cards"] == 0


async def test_the_control_socket_is_private_and_needs_no_key(world: World) -> None:
    """Mode 0600, the same routes, larger bodies; who used it is recorded; it goes away with the appliance."""
    path = world.directory / "data" / "control.sock"
    assert path.stat().st_mode & 0o777 == 0o600
    async with control_of(world) as control:
        assert (await control.post("messages", MESSAGE))[0] == 202
        topic = "palavra " * 1500
        large = "\n".join(f"# Tema {number}\n{topic}" for number in range(40))
        assert (await control.post("knowledge", {"markdown": large}))[0] == 200
    assert await world.rows("SELECT intended_by FROM outbox") == [{"intended_by": "cli"}]
    await world.stop()
    assert not path.exists()
    path.touch()
    await world.start()
    async with control_of(world) as control:
        await control.get("status")
