"""What hostile input gets from the JSON API: 4xx with a code, a message and the field, never a server error."""

import json
import string
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.api_client import ApiClient, api_of
from tests.support.world import CUSTOMER, SMS, WHATSAPP, World


@pytest.fixture
async def api(world: World) -> AsyncIterator[ApiClient]:
    async with api_of(world) as client:
        yield client


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"", {}, 400),
        (b'{"from": "\xff"}', {}, 400),
        (b'{"from": "\\ud800", "to": "+5511988887777", "body": "x"}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"from":' + b"[" * 100_000, {}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {"Content-Type": "nonsense"}, 415),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (b'"' + b"x" * (256 * 1024) + b'"', {}, 413),
    ],
)
async def test_bodies_that_are_no_requests(
    api: ApiClient, content: bytes, headers: dict[str, str], status: int
) -> None:
    """Bad JSON, bad UTF-8, another type, too much: 4xx as JSON."""
    found, answer = await api.call(
        "POST", "messages", data=content, headers={"Content-Type": "application/json"} | headers
    )

    assert found == status
    assert set(answer["error"]) == {"code", "message", "field"}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "nothing", 404, "not_found"),
        ("GET", "", 404, "not_found"),
        ("PUT", "messages", 405, "method_not_allowed"),
        ("DELETE", "status", 405, "method_not_allowed"),
        ("GET", "messages?limit=0", 400, "bad_limit"),
        ("GET", "messages?limit=-1", 400, "bad_limit"),
        ("GET", "messages?limit=501", 400, "bad_limit"),
        ("GET", "messages?limit=x", 400, "bad_limit"),
        ("GET", "messages?limit=%D9%A1", 400, "bad_limit"),
        ("GET", "orphans?limit=", 400, "bad_limit"),
        ("POST", "jobs/housekeeping", 404, "not_found"),
        ("POST", "jobs/process_ai_response", 404, "not_found"),
        ("POST", "dead-letters/999999/retry", 404, "not_found"),
        ("DELETE", "dead-letters/999999", 404, "not_found"),
        ("DELETE", "dead-letters/" + "9" * 18, 404, "not_found"),
        ("DELETE", "dead-letters/" + "9" * 30, 404, "not_found"),
        ("DELETE", "dead-letters/-1", 404, "not_found"),
        ("GET", "knowledge?organization=Nobody", 404, "unknown_organization"),
        ("GET", "knowledge?organization=" + "9" * 30, 404, "unknown_organization"),
    ],
)
async def test_requests_that_lead_nowhere(api: ApiClient, method: str, path: str, status: int, code: str) -> None:
    """Unknown paths, wrong methods, bad values: 4xx as JSON."""
    found, answer = await api.call(method, path)

    assert (found, answer["error"]["code"]) == (status, code)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(string.ascii_lowercase), inner, max_size=3),
    max_leaves=5,
)
_POSTS = {
    "messages": ("from", "to", "body", "idempotency_key"),
    "organizations": ("name", "channels", "user", "language", "timezone", "instructions", "contact"),
    "channels": ("organization", "address"),
    "knowledge": ("organization", "markdown"),
    "knowledge/aliases": ("organization", "topic", "aliases", "remove"),
    "knowledge/test": ("organization", "question"),
    "jobs/x": (),
}
_GOOD = st.sampled_from([SMS, WHATSAPP, CUSTOMER, "# A\nb", "Padaria Aurora", "a@b", 1, ["+551150000009"], "en", "UTC"])


def _body(path: str) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional=dict.fromkeys(_POSTS[path], _GOOD | _JSON)) | _JSON


_REQUESTS = st.one_of([st.tuples(st.just(path), _body(path)) for path in _POSTS])


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(request=_REQUESTS)
async def test_no_post_body_is_a_server_error(world: World, request: tuple[str, Any]) -> None:
    """Any JSON, half of it nearly right, gets 2xx or 4xx."""
    path, body = request
    content = json.dumps(body).encode()
    async with api_of(world) as api:
        status, answer = await api.call("POST", path, data=content, headers={"Content-Type": "application/json"})

    assert 200 <= status < 300 or (400 <= status < 500 and answer["error"]["message"])
