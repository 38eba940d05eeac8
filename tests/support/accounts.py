"""A world with several accounts at Twilio: through a Messaging Service, a subaccount, and one whose key is revoked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from appliance.config import Account, Secret
from appliance.model import MAIN
from appliance.operations.organizations import Registration, add_channel, register_organization
from appliance.ports import Dialogue, Reply
from appliance.simulator import SANDBOX, Twilio
from tests.support.world import ACCOUNT, SMS, TOKEN, WHATSAPP, ManualClock, World

NOON = 1_800_025_200_000  # in São Paulo
BRANCH, SHUT = "branch", "shut"
SIDS = {MAIN: ACCOUNT, BRANCH: "AC" + "1" * 32, SHUT: "AC" + "2" * 32}
TOKENS = {MAIN: TOKEN, BRANCH: "branch-token-0123456789abcdef0123", SHUT: "shut-token-0123456789abcdef012345"}
REVOKED = ("credentials", f"account:{SHUT}")  # its card, open from the watch's first look on
SERVICE = "MG" + "0" * 32
SECOND_SMS = "+551140000002"  # of the service's pool as well
NUMBERS = {MAIN: (SMS, WHATSAPP, SECOND_SMS, SANDBOX), BRANCH: ("+551140000010", SANDBOX), SHUT: ("+551140000020",)}


class Echo:
    """Its answer repeats the questions, so that each ledger shows what was answered there, and how often."""

    async def respond(self, dialogue: Dialogue, timeout: float) -> Reply:
        return Reply("test", f"Re: {' | '.join(dialogue.questions)}")

    async def close(self) -> None:
        """Nothing is held."""


class Accounts(World):
    """`main` sends through a Messaging Service, `branch` is its subaccount, `shut` has a key that Twilio revoked."""

    clock: ManualClock

    def __init__(
        self, directory: Path, *, now: int = NOON, signed_by_parent: bool = False, own_token: bool = True, **more: Any
    ) -> None:
        clock = ManualClock(now)
        listed = (
            Account(
                name=BRANCH,
                account_sid=SIDS[BRANCH],
                auth_tokens=(Secret(TOKENS[BRANCH]),) if own_token else (),
                parent=MAIN,
            ),
            Account(name=SHUT, account_sid=SIDS[SHUT], auth_tokens=(Secret(TOKENS[SHUT]),)),
        )
        ours = {"accounts": listed, "messaging_service_sid": SERVICE} | more.pop("twilio", {})
        talk = {"reply_delay": 0, "reply_delay_max": 0, "max_replies_per_hour": 0} | more.pop("conversations", {})
        super().__init__(
            directory, clock=clock, responder=more.pop("responder", Echo()), twilio=ours, conversations=talk, **more
        )
        self.twilio.owned = NUMBERS[MAIN]
        self.twilio.services = {SERVICE: NUMBERS[MAIN]}
        branch = Twilio(
            SIDS[BRANCH],
            [TOKENS[BRANCH]],
            owned=NUMBERS[BRANCH],
            pace=0.0,
            now=clock.now,
            parent=self.twilio,
            signed_by_parent=signed_by_parent,
        )
        shut = Twilio(SIDS[SHUT], [TOKENS[SHUT]], owned=NUMBERS[SHUT], pace=0.0, now=clock.now)
        shut.revoked = True
        self.others = (branch, shut)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self.appliance.store.write(lambda tx: add_channel(tx, 1, SECOND_SMS))
        await self.appliance.store.write(lambda tx: add_channel(tx, 1, SANDBOX))
        for name in (BRANCH, SHUT):
            registration = Registration(name, NUMBERS[name], f"{name}@example.com", account=name)
            await self.appliance.store.write(lambda tx, wanted=registration: register_organization(tx, wanted))  # type: ignore[misc]
        return self

    @property
    def at(self) -> Mapping[str, Twilio]:
        """Twilio's side of each account."""
        return {MAIN: self.twilio, BRANCH: self.others[0], SHUT: self.others[1]}

    async def write(self, account: str, sender: str, to: str, body: str, **options: Any) -> str:
        """A customer writes to a number of an account. Returns the sid."""
        sid, _ = await self.at[account].receive(sender, to, body, **options)
        return sid

    def answers(self, account: str, to: str | None = None) -> list[str]:
        """What the account accepted of ours, oldest first."""
        return [
            entry.body
            for entry in self.at[account].ledger
            if entry.direction == "outbound-api" and to in (None, entry.recipient)
        ]

    async def opened(self) -> set[tuple[str, str]]:
        """(kind, subject) of the open cards, but for what a box that is being set up lacks."""
        return {(row["kind"], row["subject"]) for row in await self.opened_cards()}

    async def pass_(self, seconds: float) -> None:
        await self.clock.advance(seconds, self.settle)
