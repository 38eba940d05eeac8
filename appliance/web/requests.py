"""The API's requests: bodies with their fields, path and query values. What does not fit is a RequestError."""

import re
from typing import Annotated, TypeVar

import msgspec
from aiohttp import web

from appliance.errors import RequestError

T = TypeVar("T")
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
LIMITS = range(1, 501)
DEFAULT_LIMIT = 50

_IN_FIELD = re.compile(r"\$\.(\w+)|field `(\w+)`")


class Body(msgspec.Struct, forbid_unknown_fields=True):
    """A JSON object; an unknown field is an error."""


class NewMessage(Body):
    sender: str = msgspec.field(name="from")
    to: str
    body: str
    idempotency_key: str | None = None
    account: Name | None = None


class NewOrganization(Body):
    name: str
    channels: Annotated[list[str], msgspec.Meta(max_length=100)]
    user: str
    language: str = "pt-BR"
    timezone: Name = "America/Sao_Paulo"
    password: str | None = None
    instructions: Annotated[str, msgspec.Meta(max_length=20_000)] = ""
    contact: Annotated[str, msgspec.Meta(max_length=200)] = ""
    account: Name | None = None


class NewChannel(Body):
    address: str
    organization: str | int | None = None
    account: Name | None = None


class ChannelMove(Body):
    address: str
    account: Name
    source: Name | None = msgspec.field(name="from", default=None)
    park: bool = False


class TwoAddresses(Body):
    address: str
    other: str
    organization: str | int | None = None


class NewKnowledge(Body):
    markdown: str
    organization: str | int | None = None
    replace: bool = False


class NewAliases(Body):
    topic: Name
    aliases: Annotated[list[str], msgspec.Meta(min_length=1, max_length=100)]
    remove: bool = False
    organization: str | int | None = None


class Question(Body):
    question: str
    organization: str | int | None = None


class Person(Body):
    address: str
    also: Annotated[list[str], msgspec.Meta(max_length=20)] = []
    organization: str | int | None = None

    @property
    def addresses(self) -> list[str]:
        return list(dict.fromkeys([self.address, *self.also]))


class Forget(Person):
    at_twilio: bool = False


async def read_body(request: web.Request, kind: type[T]) -> T:
    """The request's JSON as a typed value. Raises RequestError."""
    if request.content_type != "application/json":
        raise RequestError("unsupported_media_type", "The body must be application/json.", status=415)
    if (request.content_length or 0) > request.client_max_size:
        raise web.HTTPRequestEntityTooLarge(request.client_max_size, request.content_length or 0)
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except msgspec.ValidationError as error:
        found = _IN_FIELD.search(str(error))
        raise RequestError("invalid", f"{error}.", found and (found[1] or found[2])) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, web.RequestPayloadError):
        raise RequestError("bad_json", "The body is not JSON in UTF-8.") from None


def limit_of(request: web.Request) -> int:
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,3}", text, re.ASCII) or int(text) not in LIMITS:
        raise RequestError("bad_limit", f"The limit must be {LIMITS.start} to {LIMITS.stop - 1}.", "limit")
    return int(text)


def address_of(request: web.Request, name: str) -> str | None:
    """An address of the query; an unescaped `+` arrives as a space."""
    text = request.query.get(name)
    return None if text is None else text.replace(" ", "+")


def ids_of(request: web.Request) -> list[int]:
    """Of the query, `?id=1&id=2`; none named are all."""
    texts = request.query.getall("id", [])
    if not all(re.fullmatch(r"[0-9]{1,18}", text, re.ASCII) for text in texts):
        raise RequestError("bad_id", "An id is a number.", "id")
    return [int(text) for text in texts]


def id_of(request: web.Request) -> int:
    """The route lets only digits through."""
    return int(request.match_info["id"])
