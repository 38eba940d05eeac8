"""Webhooks whose signature does not fit: when that is Twilio and not a stranger, and what the owner is told then.

Two things prove it. A token of ours fits in another way: three such requests in five minutes open the card. Or Twilio's
log has the very message that was refused: the first one does. What a stranger sends is neither.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from appliance.config import Config
from appliance.config.accounts import section
from appliance.errors import ApplianceError
from appliance.inbox.unheard import Unheard
from appliance.model import MINUTE, SECOND
from appliance.ports import Clock
from appliance.store import Store, Tx, cards
from appliance.store.cards import CardKind, Fact
from appliance.wire import Misfit, MisfitKind

WINDOW = 5 * MINUTE / SECOND
ENOUGH = 3  # requests that would have fitted in the same other way
ASK_EVERY = MINUTE / SECOND  # between two looks into Twilio's log
EXPLAINED = 3  # requests a second; a flood is refused without being looked at
MOST = 500  # that are remembered; the oldest goes
MESSAGE, STATUS = "message", "status"  # the hooks
_SID = re.compile("(?:SM|MM)[0-9a-fA-F]{32}")
_UNKNOWN = Misfit(MisfitKind.UNKNOWN)
# What to change, in words that the notices' translations have.
UNSIGNED = "let the proxy hand on the header X-Twilio-Signature"
UNKNOWN = (
    "compare the token in {section}.auth_tokens with Twilio's console, and server.public_url ({reached}) with the "
    "address there; else a proxy changes what it hands on"
)
URL = "set server.public_url to {public_url}"
URL_OR_CONSOLE = "set server.public_url to {public_url}, or the address in Twilio's console to {console}"
CONSOLE = "set the address in Twilio's console to {console}"
STRIP = "let the proxy take {strip} away from the path"
METHOD = "Twilio signed it as {method}: set the webhook's method to HTTP POST, at an address that does not redirect"
OTHERS = "it was signed with a token of {other}: put that into {section}.auth_tokens, where it belongs"
OTHERS_OR_PARENT = (
    "it was signed with a token of {other}: put that into {section}.auth_tokens, where it belongs, or set "
    '{section}.parent to "{other}" if it is the parent'
)
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Place:
    """Where webhooks come in. `number`: of ours, as its address is set at Twilio for each; none of callbacks."""

    account: str
    hook: str
    number: str = ""


@dataclass(slots=True, eq=False)
class _Refusal:
    place: Place
    sid: str
    misfit: Misfit
    at: float
    is_counted: bool = False  # on a card


class Refusals:
    """In memory alone. `unheard`: what no webhook brought. `catch_up`: asks for a look into Twilio's log, at most every
    ASK_EVERY seconds.
    """

    def __init__(
        self, store: Store, config: Config, clock: Clock, unheard: Unheard, catch_up: Callable[[], None]
    ) -> None:
        self.unheard = unheard
        self._store = store
        self._config = config
        self._clock = clock
        self._catch_up = catch_up
        self._claimed: OrderedDict[str, _Refusal] = (
            OrderedDict()
        )  # by sid; a flood of them pushes out none of the others
        self._proven: OrderedDict[str, _Refusal] = OrderedDict()  # by signature, which Twilio repeats with a request
        self._told: set[tuple[str, Misfit]] = set()
        self._trouble: set[Place] = set()
        # A run before this one may have left their cards.
        self._may_be_told = {account.name for account in config.accounts}
        self._second = -1.0
        self._explained = 0

    def may_explain(self) -> bool:
        """Whether there is time to find out why this one was refused; it counts as one."""
        second = self._clock.monotonic() // 1
        if second != self._second:
            self._second, self._explained = second, 0
        self._explained += 1
        return self._explained <= EXPLAINED

    async def refused(self, place: Place, sid: str, signature: str, misfit: Misfit | None) -> None:
        """A webhook that names an account of ours. `misfit`: what would have fitted, as far as anything would."""
        now = self._clock.monotonic()
        is_proven, is_message = misfit is not None and misfit.is_proven, bool(_SID.fullmatch(sid))
        if not is_proven and not is_message:
            return
        self._catch_up()
        kept, key = (self._proven, signature) if is_proven else (self._claimed, sid)
        if key in kept:
            return
        while kept and (len(kept) >= MOST or next(iter(kept.values())).at < now - WINDOW):
            kept.popitem(last=False)
        refusal = kept[key] = _Refusal(place, sid if is_message else "", misfit or _UNKNOWN, now)
        if not is_proven or self._is_overshadowed(place):
            return
        self._say(refusal)
        if place in self._trouble or len(self._alike(refusal)) >= ENOUGH:
            await self._report(refusal)

    async def found(self, sid: str) -> bool:
        """Twilio's log told of this message, so if its webhook was refused it was Twilio's. Whether it was."""
        proven = list(self._proven.values())
        refusal = self._claimed.pop(sid, None) or next((each for each in proven if each.sid == sid), None)
        if refusal is None or refusal.is_counted:
            return refusal is not None
        if not refusal.misfit.is_proven:  # there may have been no time to explain this one
            of_account = [each.misfit for each in proven if each.place.account == refusal.place.account]
            refusal.misfit = of_account[-1] if of_account else refusal.misfit
        self._say(refusal)
        await self._report(refusal)
        return True

    async def fits(self, place: Place) -> None:
        """A webhook was accepted: what was wrong there is over. Where nothing ever was refused, that proves nothing."""
        if place.hook == MESSAGE:
            await self.unheard.heard(place.account)
        for signature in [key for key, refusal in self._proven.items() if refusal.place == place]:
            del self._proven[signature]
        was_left = place.hook == MESSAGE and place.account in self._may_be_told
        if place not in self._trouble and not was_left:
            return
        self._may_be_told.discard(place.account)
        over = {each for each in self._trouble if (each.account, each.hook) == (place.account, place.hook)}
        over = over if place in over else set()
        self._trouble -= over  # before the write, so that a card that is opened meanwhile stays
        if any(each.account == place.account for each in self._trouble):
            return
        self._told = {told for told in self._told if told[0] != place.account}
        try:
            await self._store.write(lambda tx: tx.cards.close(CardKind.SIGNATURE, cards.account(place.account)))
        except ApplianceError:
            self._trouble |= {*over, place}  # the next one closes it

    def _is_overshadowed(self, place: Place) -> bool:
        """Callbacks come to the address that we set: where messages are refused as well, that may be the wrong one."""
        return place.hook != MESSAGE and any(
            each.account == place.account and each.hook == MESSAGE for each in self._trouble
        )

    def _alike(self, refusal: _Refusal) -> list[_Refusal]:
        """All that are remembered and that the same change would have let in."""
        why = refusal.place.account, refusal.misfit
        return [each for each in self._proven.values() if (each.place.account, each.misfit) == why]

    def _say(self, refusal: _Refusal) -> None:
        """In the log, once."""
        account = refusal.place.account
        if (account, refusal.misfit) not in self._told:
            self._told.add((account, refusal.misfit))
            log.warning("webhooks are refused", account=account, error=told(account, refusal.misfit, self._config))

    async def _report(self, refusal: _Refusal) -> None:
        """The card of the account; it counts each refusal once."""
        account = refusal.place.account
        about = facts_of(account, refusal.misfit, self._config)
        alike = self._alike(refusal)
        counted = [each for each in (*alike, *([] if refusal in alike else [refusal])) if not each.is_counted]
        for each in counted:
            each.is_counted = True
            self._trouble.add(each.place)

        def open_card(tx: Tx) -> None:
            tx.cards.open(CardKind.SIGNATURE, cards.account(account), None, more=len(counted), **about)

        try:
            await self._store.write(open_card)
        except ApplianceError:
            for each in counted:  # the next one opens it
                each.is_counted = False


def told(account: str, misfit: Misfit, config: Config) -> str:
    """What is wrong and what to change, in English for the log."""
    found = facts_of(account, misfit, config)
    changes = [change.format_map(found) for change in str(found["changes"]).split("\n")]
    return f"{str(found['why']).format_map(found)}; {'; '.join(changes)}"


def facts_of(account: str, misfit: Misfit, config: Config) -> dict[str, Fact]:
    """What fills the card's sentence. `changes`: what to do, one English line each, which the translations have."""
    found: dict[str, Fact] = {
        "account": account,
        "section": section(account, config),
        "reached": config.server.public_url,
        "url": misfit.url,
        "public_url": misfit.public_url,
        "console": misfit.console,
        "strip": misfit.strip,
        "method": misfit.method,
        "other": misfit.other,
    }
    if misfit.kind == MisfitKind.UNSIGNED:
        return found | {"why": "the signature is missing", "changes": UNSIGNED}
    if misfit.kind == MisfitKind.UNKNOWN:
        return found | {"why": "the signature does not fit, and nothing that is known here would", "changes": UNKNOWN}
    changes = []
    if misfit.public_url:
        changes.append(URL_OR_CONSOLE if misfit.console else URL)
    elif misfit.console:
        changes.append(CONSOLE)
    if misfit.strip:
        changes.append(STRIP)
    if misfit.method:
        changes.append(METHOD)
    if misfit.other:
        changes.append(OTHERS_OR_PARENT if misfit.is_childs else OTHERS)
    return found | {"why": "the signature does not fit, {url} would have", "changes": "\n".join(changes)}
