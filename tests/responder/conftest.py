"""A model's server on loopback, as the tests of the responder ask it."""

import pytest
from pytest_aiohttp import AiohttpServer

from tests.support.fake_ai import FakeAi


@pytest.fixture
def fake() -> FakeAi:
    return FakeAi()


@pytest.fixture
async def base_url(fake: FakeAi, aiohttp_server: AiohttpServer) -> str:
    return str((await aiohttp_server(fake.app)).make_url("/v1"))
