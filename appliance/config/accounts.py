"""The tables [[twilio.accounts]]: made sections of their own, `twilio.accounts.<name>`, and what is wrong with them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from appliance.config.keys import printable
from appliance.config.sections import ACCOUNT_NAME, LISTED, Account, Config
from appliance.errors import RequestError
from appliance.model import MAIN

NAMED = "a lower-case letter, then letters, digits and _, at most 32 characters"
NEEDED = {
    "account_sid": "AC…, on the first page of the Twilio Console",
    "auth_tokens": 'a list: ["the token beside the account SID"]',
}
Fault = tuple[tuple[str, ...], str]
"""The keys that take part, and the sentence; it says nothing new where one of them was refused already."""


def flattened(document: Mapping[str, Any]) -> tuple[dict[str, Any], list[str], list[str]]:
    """The document with each account as a section; the accounts' names; faults of tables that cannot be told apart."""
    found, twilio = dict(document), document.get("twilio")
    if not isinstance(twilio, dict) or "accounts" not in twilio:
        return found, [], []
    tables, place = twilio["accounts"], "twilio.accounts"
    found["twilio"] = {key: value for key, value in twilio.items() if key != "accounts"}
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        return found, [], [f"{place}: must be tables, each [[{place}]] with a name"]
    names: list[str] = []
    faults: list[str] = []
    for number, table in enumerate(tables, 1):
        name = table.get("name")
        if not isinstance(name, str) or not re.fullmatch(ACCOUNT_NAME, name):
            shown = f"'{printable(name)}'" if isinstance(name, str) else "not set" if name is None else "no text"
            faults.append(f"{place}: the name of number {number} is {shown}: must be {NAMED}")
        elif name in names or (name == MAIN and found["twilio"].get("account_sid")):
            first = "[twilio] itself is" if name == MAIN and name not in names else "another is"
            faults.append(f"{place}: number {number} is named {name} as {first}; each needs a name of its own")
        else:
            names.append(name)
            found[LISTED + name] = {key: value for key, value in table.items() if key != "name"}
    return found, names, faults


def needed(config: Config) -> Iterator[tuple[str, str]]:
    """Each key that an account needs to serve and lacks, and what it is; a subaccount's tokens may be its parent's."""
    for account in config.accounts:
        for field, meaning in NEEDED.items():
            if not getattr(account, field) and not (field == "auth_tokens" and account.parent):
                yield f"{section(account.name, config)}.{field}", meaning


def together(config: Config) -> Iterator[Fault]:
    """What the accounts must be to each other and in themselves."""
    accounts = config.accounts
    place = {each.name: section(each.name, config) for each in accounts}
    for number, account in enumerate(accounts):
        here, sid = place[account.name], account.account_sid
        twin = next((other for other in accounts[:number] if sid and other.account_sid == sid), None)
        if twin:
            keys = f"{here}.account_sid", f"{place[twin.name]}.account_sid"
            yield keys, f"{keys[0]}: {sid} is the account of {keys[1]} already"
        keys = f"{here}.api_key_sid", f"{here}.api_key_secret"
        if (account.api_key_sid is None) != (account.api_key_secret is None):
            absent, present = keys if account.api_key_sid is None else reversed(keys)
            yield keys, f"{absent}: not set, but {present} is; set both or none"
        yield from _parent(account, config, f"{here}.parent")


def section(name: str, config: Config) -> str:
    """The section of an account's keys."""
    return LISTED + name if any(each.name == name for each in config.twilio.accounts) else "twilio"


def _parent(account: Account, config: Config, key: str) -> Iterator[Fault]:
    if account.parent is None:
        return
    parent = next((each for each in config.accounts if each.name == account.parent), None)
    others = ", ".join(each.name for each in config.accounts if each.name != account.name and each.parent is None)
    if parent is None or parent.name == account.name or parent.parent is not None:
        yield (key,), f"{key} = '{account.parent}': must be an account that is no subaccount itself: {others or 'none'}"


def strays(config: Config, channels: Iterable[tuple[str, str]]) -> list[str]:
    """A fault for each channel whose account is not configured. `channels`: (address, account)."""
    known = [account.name for account in config.accounts]
    return [
        f"channel {address}: its account {account} is not configured; add [[twilio.accounts]] with that name, or move "
        f"the channel: appliance channel move {address} --from {account} --account {known[0]} --park"
        for address, account in channels
        if account not in known
    ]


def choose(config: Config, named: str | None) -> Account:
    """The account with this name; nothing need be said where there is exactly one. Raises RequestError."""
    accounts = {account.name: account for account in config.accounts}
    known = ", ".join(accounts)
    if named is None and len(accounts) > 1:
        raise RequestError("which_account", f"There are several accounts ({known}); name one.", "account")
    found = config.accounts[0] if named is None else accounts.get(named)
    if found is None:
        raise RequestError("unknown_account", f"The configuration has no such account; it has {known}.", "account", 404)
    return found
