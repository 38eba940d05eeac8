"""What is set at Twilio for one account, read and changed through its official async client.

Sources: Twilio docs, "IncomingPhoneNumber resource", "Messaging Services resource", "Senders API", "API keys".
"""

from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from appliance.model import SECOND
from appliance.ports import AccountState, Clock, ConsoleError, Hook, Login, Place
from appliance.twilio.client import TwilioHttp, date, last_answer, status

T = TypeVar("T")
WHATSAPP = "whatsapp:"
LONGEST_SHORT_CODE = 6
_HALF = SECOND // 2  # Twilio's Date has whole seconds: on the average it is so much later


class _Change:
    """A sender's new webhook and nothing else: the SDK's own class would send null for all that is not named."""

    def __init__(self, webhook: dict[str, Any]) -> None:
        self._webhook = webhook

    def to_dict(self) -> dict[str, Any]:
        return {"webhook": self._webhook}


class TwilioConsole:
    """Implements ports.Console. Create it inside the running loop, close it at the end."""

    def __init__(
        self,
        *,
        account_sid: str,
        key_sid: str | None,
        credentials: Sequence[tuple[str, str]],
        api_url: str,
        timeout: float,
        clock: Clock,
    ) -> None:
        """`credentials`: (user, secret) pairs in the order they are tried, a parent's among them."""
        self._http = TwilioHttp(api_url, timeout)
        self._clock = clock
        self._clients = [
            (user, Client(user, secret, account_sid, http_client=self._http)) for user, secret in credentials
        ]
        # A parent's login opens api.twilio.com for its subaccounts, and no other host.
        self._own = [client for user, client in self._clients if user in (account_sid, key_sid)]
        self._keyless = [client for user, client in self._clients if not user.startswith("SK")]
        self._account_sid = account_sid
        self._senders: dict[str, dict[str, Any]] = {}  # by sid: a webhook as it was read, with what we know not of

    @property
    def reads_messaging(self) -> bool:
        return bool(self._own)

    async def logins(self) -> tuple[Sequence[Login], int]:
        found: list[Login] = []
        offset = 0
        for user, client in self._clients:
            is_key = user.startswith("SK")
            number = sum(each.is_key == is_key for each in found) + 1
            try:
                await self._ask([client], lambda each: each.incoming_phone_numbers.page_async(page_size=1))
            except ConsoleError as error:
                if error.status != HTTPStatus.UNAUTHORIZED:
                    raise
            offset = self._offset()
            found.append(Login(is_key, number, status() != HTTPStatus.UNAUTHORIZED))
        return found, offset

    async def account(self) -> AccountState | None:
        if not self._keyless:  # a standard key may not read it
            return None
        found = await self._ask(self._keyless, lambda each: each.api.accounts(self._account_sid).fetch_async())
        return AccountState(str(found.type), str(found.status))

    async def hook(self, address: str) -> Hook | None:
        if address.startswith(WHATSAPP):
            return await self._sender(address)
        if len(address) <= LONGEST_SHORT_CODE:
            codes = await self._all(lambda each: each.short_codes.list_async(short_code=address))
            return next(
                (_number(Place.SHORT_CODE, address, code) for code in codes if code.short_code == address), None
            )
        # The filter finds parts of numbers as well.
        numbers = await self._all(lambda each: each.incoming_phone_numbers.list_async(phone_number=address))
        found = (_number(Place.NUMBER, address, each) for each in numbers if each.phone_number == address)
        return next(found, None)

    async def _sender(self, address: str) -> Hook | None:
        """The list need not have the webhooks: the one that fits is fetched."""
        listed = await self._ask(self._own, lambda each: each.messaging.v2.channels_senders.list_async("whatsapp"))
        sid = next((each.sid for each in listed if each.sender_id == address), None)
        if sid is None:
            return None
        sender = await self._ask(self._own, lambda each: each.messaging.v2.channels_senders(sid).fetch_async())
        told = sender.webhook if isinstance(sender.webhook, dict) else {}
        self._senders[sid] = told
        url, method, fallback = (
            str(told.get(f"{name}") or "") for name in ("callback_url", "callback_method", "fallback_url")
        )
        return Hook(Place.SENDER, sid, address, url, method, fallback, state=str(sender.status))

    async def services(self) -> Sequence[Hook]:
        found = await self._ask(self._own, lambda each: each.messaging.v1.services.list_async())
        return [
            Hook(
                Place.SERVICE,
                str(each.sid),
                str(each.sid),
                str(each.inbound_request_url or ""),
                str(each.inbound_method or ""),
                str(each.fallback_url or ""),
                pool=await self._pool(str(each.sid)),
                defers=bool(each.use_inbound_webhook_on_number),
            )
            for each in found
        ]

    async def _pool(self, service: str) -> tuple[str, ...]:
        async def question(client: Any) -> tuple[str, ...]:
            pool = client.messaging.v1.services(service)
            numbers = [each.phone_number for each in await pool.phone_numbers.list_async()]
            codes = [each.short_code for each in await pool.short_codes.list_async()]
            senders = [each.sender for each in await pool.channel_senders.list_async()]
            return tuple(map(str, (*numbers, *codes, *senders)))

        return await self._ask(self._own, question)

    async def set(self, hook: Hook) -> None:
        sid, url, method, fallback = hook.sid, hook.url, hook.method, hook.fallback
        if hook.place == Place.SENDER:
            told = self._senders.get(sid, {})
            cleared = {"fallback_url": fallback} if fallback or told.get("fallback_url") else {}
            # What is not sent may be emptied: all of it as it was read.
            change = _Change(told | {"callback_url": url, "callback_method": method} | cleared)
            await self._ask(self._own, lambda each: each.messaging.v2.channels_senders(sid).update_async(change))
        elif hook.place == Place.SERVICE:
            values = {"inbound_request_url": url, "inbound_method": method, "fallback_url": fallback}
            await self._ask(self._own, lambda each: each.messaging.v1.services(sid).update_async(**values))
        else:
            values = {"sms_url": url, "sms_method": method, "sms_fallback_url": fallback}
            if hook.place == Place.SHORT_CODE:
                await self._all(lambda each: each.short_codes(sid).update_async(**values))
            else:
                values["sms_application_sid"] = ""
                await self._all(lambda each: each.incoming_phone_numbers(sid).update_async(**values))

    async def close(self) -> None:
        await self._http.close()

    async def _all(self, question: Callable[[Any], Awaitable[T]]) -> T:
        return await self._ask([client for _, client in self._clients], question)

    async def _ask(self, clients: Sequence[Any], question: Callable[[Any], Awaitable[T]]) -> T:
        """The answer to the first login that is accepted."""
        fault = ConsoleError("no login")
        for client in clients:
            last_answer.set(None)
            try:
                return await question(client)
            except TwilioRestException as error:
                fault = ConsoleError(f"HTTP {error.status}, Twilio error {error.code}", error.status)
            except Exception as error:  # noqa: BLE001  # its text may hold an address
                fault = ConsoleError(type(error).__name__, status())
            if fault.status != HTTPStatus.UNAUTHORIZED:
                break
        raise fault

    def _offset(self) -> int:
        """Twilio's clock minus ours by the Date of the last answer, ms; 0 where it has none."""
        told = date()
        return 0 if told is None else told + _HALF - self._clock.now()


def _number(place: Place, address: str, found: Any) -> Hook:
    return Hook(
        place,
        str(found.sid),
        address,
        str(found.sms_url or ""),
        str(found.sms_method or ""),
        str(found.sms_fallback_url or ""),
        application=str(getattr(found, "sms_application_sid", "") or ""),
    )
