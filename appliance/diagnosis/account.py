"""An account at Twilio: does it take our login, is it a trial, does its clock agree with ours?"""

from collections.abc import Collection, Iterator, Sequence

from appliance.config import Account
from appliance.diagnosis.finding import Finding, Kind, found
from appliance.model import MINUTE, SECOND
from appliance.ports import AccountState, Console, ConsoleError, Login
from appliance.timekeeping import MOST_APART
from appliance.wire import SANDBOX

CLOSE = 2  # seconds that are not worth telling apart: Twilio's Date has whole ones


async def of_account(account: Account, console: Console, channels: Collection[str]) -> list[Finding]:
    """`channels`: the addresses that customers write to."""
    name = account.name
    try:
        logins, offset = await console.logins()
        if not any(each.accepted for each in logins):
            return [found(Kind.LOGIN_REFUSED, account=name), *_clock(offset)]
        state = await console.account()
    except ConsoleError as error:
        return [found(Kind.UNREACHABLE, account=name, reason=str(error))]
    return [*_logins(name, logins), *_state(name, state, channels), *_clock(offset)]


def _logins(account: str, logins: Sequence[Login]) -> Iterator[Finding]:
    yield found(Kind.LOGIN, account=account)
    for login in logins:
        if not login.accepted and login.is_key:
            yield found(Kind.KEY_REFUSED, account=account)
        elif not login.accepted:
            yield found(Kind.TOKEN_STALE, account=account, number=login.number)


def _state(account: str, state: AccountState | None, channels: Collection[str]) -> Iterator[Finding]:
    if state is None:
        yield found(Kind.TRIAL_UNKNOWN, account=account)
    elif state.state != "active":
        yield found(Kind.SUSPENDED, account=account, state=state.state)
    elif state.kind != "Trial":
        yield found(Kind.FULL, account=account)
    else:
        yield found(Kind.TRIAL_SANDBOX if set(channels) == {SANDBOX} else Kind.TRIAL, account=account)


def _clock(offset: int) -> Iterator[Finding]:
    """`offset`: Twilio's clock minus ours, ms."""
    if abs(offset) <= MOST_APART:
        yield found(Kind.CLOCK, seconds=max(abs(offset) // SECOND + 1, CLOSE))
    else:
        yield found(Kind.CLOCK_BEHIND if offset > 0 else Kind.CLOCK_AHEAD, minutes=abs(offset) // MINUTE)
