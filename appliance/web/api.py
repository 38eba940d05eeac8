"""The JSON API below /api/v1: the same routes over HTTP with a key and over the control socket without one."""

import asyncio

from aiohttp import web
from aiohttp.typedefs import Handler

from appliance import chores
from appliance.config.accounts import choose
from appliance.errors import DatabaseError, RequestError
from appliance.operations import (
    channels,
    conversations,
    dead_letters,
    jobs,
    knowledge,
    markdown,
    messages,
    organizations,
    passwords,
    silence,
    verification,
)
from appliance.operations.messages import ManualMessage
from appliance.operations.moves import Move, move_channel
from appliance.operations.organizations import Registration, add_channel, register_organization, whose
from appliance.store import Tx, backup
from appliance.web.desk import Desk
from appliance.web.errors import json_response
from appliance.web.requests import (
    ChannelMove,
    NewAliases,
    NewChannel,
    NewKnowledge,
    NewMessage,
    NewOrganization,
    Question,
    address_of,
    id_of,
    limit_of,
    read_body,
)

BASE = "/api/v1"
ID = "{id:[0-9]{1,18}}"


class Api:
    """`intended_by`: who is recorded as the one behind what is sent, "api" or "cli"."""

    def __init__(self, desk: Desk, intended_by: str) -> None:
        self._desk = desk
        self._store = desk.store
        self._intended_by = intended_by

    def add_to(self, app: web.Application) -> None:
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "verify", self.verify),
            ("POST", "backups", self.back_up),
            ("GET", "messages", self.messages),
            ("POST", "messages", self.send),
            ("GET", "messages/{sid}/silence", self.silence),
            ("GET", "orphans", self.orphans),
            ("GET", "dead-letters", self.dead_letters),
            ("POST", "dead-letters/retry", self.retry_all),
            ("DELETE", "dead-letters", self.discard_all),
            ("POST", f"dead-letters/{ID}/retry", self.retry),
            ("DELETE", f"dead-letters/{ID}", self.discard),
            ("POST", "conversations/{conversation}/resume", self.resume),
            ("POST", "jobs/{kind}", self.enqueue),
            ("GET", "organizations", self.organizations),
            ("POST", "organizations", self.register),
            ("GET", "channels", self.channels),
            ("POST", "channels", self.add_channel),
            ("DELETE", "channels/{address}", self.remove_channel),
            ("POST", "channels/move", self.move_channel),
            ("GET", "knowledge", self.knowledge),
            ("POST", "knowledge", self.import_knowledge),
            ("DELETE", "knowledge", self.remove_knowledge),
            ("POST", "knowledge/aliases", self.alias_knowledge),
            ("POST", "knowledge/test", self.test_knowledge),
        ]
        for method, path, handler in routes:
            app.router.add_route(method, f"{BASE}/{path}", handler)

    async def verify(self, _request: web.Request) -> web.Response:
        return json_response(await self._store.inspect(verification.verify))

    async def back_up(self, _request: web.Request) -> web.Response:
        now = await self._store.read(lambda tx: tx.now)
        try:
            copy = await backup.take_one(self._store.directory, now)
        except DatabaseError as error:
            raise RequestError("backup_failed", str(error), status=503) from error
        await self._store.write(chores.taken)
        return json_response({"file": str(copy)}, 201)

    async def messages(self, request: web.Request) -> web.Response:
        contact, limit, named = address_of(request, "contact"), limit_of(request), request.query.get("organization")
        found = await self._store.read(lambda tx: messages.page(tx, whose(tx, named), contact, limit))
        return json_response({"messages": found})

    async def silence(self, request: web.Request) -> web.Response:
        """`{"silence": null}` while an answer may come, and where one was sent."""
        sid = request.match_info["sid"]
        return json_response({"silence": await self._store.read(lambda tx: silence.silence(tx, sid))})

    async def orphans(self, request: web.Request) -> web.Response:
        limit = limit_of(request)
        return json_response({"orphans": await self._store.read(lambda tx: messages.orphans(tx, limit))})

    async def send(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewMessage)
        message = ManualMessage(body.sender, body.to, body.body, body.idempotency_key, self._intended_by, body.account)
        submitted = await self._store.write(lambda tx: messages.submit(tx, message, self._desk.config))
        self._desk.bell.ring()
        return json_response(submitted, 202)

    async def dead_letters(self, request: web.Request) -> web.Response:
        limit, named = limit_of(request), request.query.get("organization")
        found = await self._store.read(lambda tx: dead_letters.page(tx, whose(tx, named), limit))
        return json_response({"dead_letters": found})

    async def retry(self, request: web.Request) -> web.Response:
        letter = id_of(request)
        job = await self._store.write(lambda tx: self._retry(tx, letter))
        self._desk.bell.ring()
        return json_response({"id": letter, "job": job})

    def _retry(self, tx: Tx, letter: int) -> int:
        return dead_letters.retry(tx, letter, self._intended_by, self._desk.config)

    async def discard(self, request: web.Request) -> web.Response:
        letter = id_of(request)
        await self._store.write(lambda tx: dead_letters.discard(tx, letter))
        return json_response({"id": letter})

    async def retry_all(self, _request: web.Request) -> web.Response:
        """But for those of which nobody knows whether the customer has an answer: they are retried by name."""
        done, refused = await dead_letters.each(self._store, self._retry, clear=True)
        self._desk.bell.ring()
        return json_response({"retried": done, "refused": refused})

    async def discard_all(self, _request: web.Request) -> web.Response:
        done, refused = await dead_letters.each(self._store, dead_letters.discard)
        return json_response({"discarded": done, "refused": refused})

    async def resume(self, request: web.Request) -> web.Response:
        named, owner, who = request.match_info["conversation"], request.query.get("organization"), self._intended_by
        resumed = await self._store.write(lambda tx: conversations.resume(tx, whose(tx, owner), named, who))
        self._desk.bell.ring()
        return json_response(resumed, 200 if resumed.state == "automatic" else 202)

    async def enqueue(self, request: web.Request) -> web.Response:
        kind = request.match_info["kind"]
        enqueued = await self._store.write(lambda tx: jobs.enqueue(tx, kind))
        self._desk.bell.ring()
        return json_response({"enqueued": enqueued})

    async def organizations(self, _request: web.Request) -> web.Response:
        return json_response({"organizations": await self._store.read(organizations.page)})

    async def register(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewOrganization)
        about = (body.user, body.name)
        hashed = None if body.password is None else await passwords.make(body.password, about)
        registration = Registration(
            name=body.name,
            channels=body.channels,
            user=body.user,
            language=body.language,
            timezone=body.timezone,
            password_hash=hashed,
            instructions=body.instructions,
            contact=body.contact,
            account=choose(self._desk.config, body.account).name,
        )
        return json_response({"id": await self._store.write(lambda tx: register_organization(tx, registration))}, 201)

    async def channels(self, _request: web.Request) -> web.Response:
        return json_response({"channels": await self._store.read(organizations.channels)})

    async def add_channel(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewChannel)
        account = choose(self._desk.config, body.account).name
        added = await self._store.write(
            lambda tx: add_channel(tx, organizations.find(tx, body.organization).id, body.address, account)
        )
        return json_response({"id": added}, 201)

    async def remove_channel(self, request: web.Request) -> web.Response:
        """`?force=1`: also while conversations are open. `?account=`: where several have the address."""
        address, force = request.match_info["address"], request.query.get("force") == "1"
        named = request.query.get("account")
        return json_response(await self._store.write(lambda tx: channels.remove(tx, address, named, force=force)))

    async def move_channel(self, request: web.Request) -> web.Response:
        body = await read_body(request, ChannelMove)
        move = Move(body.address, body.source, choose(self._desk.config, body.account).name, body.park)
        moved = await move_channel(self._store, move, self._desk.missed)
        self._desk.bell.ring()
        return json_response(moved)

    async def knowledge(self, request: web.Request) -> web.Response:
        named = request.query.get("organization")
        topics = await self._store.read(lambda tx: knowledge.page(tx, organizations.find(tx, named)))
        return json_response({"topics": topics})

    async def import_knowledge(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewKnowledge)
        topics = await asyncio.to_thread(markdown.parse, body.markdown)
        by = self._intended_by
        return json_response(
            await self._store.write(
                lambda tx: knowledge.put(
                    tx, organizations.find(tx, body.organization), topics, replace=body.replace, by=by
                )
            )
        )

    async def remove_knowledge(self, request: web.Request) -> web.Response:
        named, title = request.query.get("organization"), request.query.get("title", "")
        removed = await self._store.write(lambda tx: knowledge.remove(tx, organizations.find(tx, named), title))
        return json_response({"title": removed})

    async def alias_knowledge(self, request: web.Request) -> web.Response:
        body = await read_body(request, NewAliases)
        topic = await self._store.write(
            lambda tx: knowledge.alias(
                tx,
                organizations.find(tx, body.organization),
                body.topic,
                body.aliases,
                remove=body.remove,
                by=self._intended_by,
            )
        )
        return json_response({"title": topic.title, "aliases": topic.aliases})

    async def test_knowledge(self, request: web.Request) -> web.Response:
        body = await read_body(request, Question)
        dialogue = await self._store.read(
            lambda tx: knowledge.asked(tx, organizations.find(tx, body.organization), self._desk.shelves, body.question)
        )
        desk = self._desk
        return json_response(await knowledge.trial(desk.offline, dialogue, desk.responder, desk.config.ai))
