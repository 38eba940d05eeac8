"""The webhooks of an account's channels: whether each leads here as it should, and what would make it so."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit, urlunsplit

from appliance.config import Account, Config
from appliance.diagnosis.finding import Finding, Kind, found
from appliance.ports import Console, ConsoleError, Hook, Place
from appliance.wire import MESSAGES_PATH, RETRIES, SANDBOX

NEEDED = frozenset({"ct", "rt", "5xx"})  # after what Twilio is to try again
NO_URL = "what is no URL"
_READABLE = re.compile(r"(whatsapp:)?\+[0-9]+|[0-9]{3,6}")


@dataclass(frozen=True, slots=True)
class Repair:
    """A change at Twilio that somebody may want."""

    account: str
    before: Hook
    after: Hook


@dataclass(frozen=True, slots=True)
class Report:
    findings: list[Finding]
    repairs: list[Repair]


def wanted(config: Config) -> str:
    return config.server.public_url + MESSAGES_PATH + RETRIES


async def of_channels(account: Account, console: Console, channels: Sequence[str], config: Config) -> Report:
    """Of one account. `channels`: addresses."""
    url, report = wanted(config), Report([], [])
    services: Sequence[Hook] = []
    told: set[str] = set()
    try:
        services = await console.services() if console.reads_messaging else []
        chosen = account.messaging_service_sid
        if chosen and console.reads_messaging and chosen not in {each.sid for each in services}:
            report.findings.append(found(Kind.SERVICE_ABSENT, account=account.name, service=chosen))
    except ConsoleError as error:
        report.findings.append(found(Kind.UNREACHABLE, account=account.name, reason=str(error)))
    for address in channels:
        try:
            hook = await _of_channel(account, console, address, services, url, report)
        except ConsoleError as error:
            report.findings.append(found(Kind.NOT_SHOWN, address=address, reason=str(error)))
            continue
        if hook is None or hook.sid in told:
            continue
        told.add(hook.sid)
        findings = list(_of_hook(hook, url))
        report.findings.extend(findings)
        if any(each.ok is False for each in findings):
            after = replace(hook, url=url, method="POST", fallback="", application="")
            report.repairs.append(Repair(account.name, hook, after))
    return report


async def _of_channel(
    account: Account, console: Console, address: str, services: Sequence[Hook], url: str, report: Report
) -> Hook | None:
    """What counts for a channel: its own webhook or its service's. None where there is none, or none can be read."""
    add, values = report.findings.append, {"address": address, "account": account.name}
    if address == SANDBOX:
        return add(found(Kind.SANDBOX, address=address, url=url))
    if not _READABLE.fullmatch(address):
        return add(found(Kind.UNREADABLE, address=address, url=url))
    is_sender = address.startswith("whatsapp:")
    if is_sender and not console.reads_messaging:
        return add(found(Kind.OWN_TOKEN, **values))
    hook = await console.hook(address)
    if hook is None:
        return add(found(Kind.SENDER_ABSENT if is_sender else Kind.NUMBER_ABSENT, **values))
    if hook.place == Place.SENDER and not hook.state.startswith("ONLINE"):
        add(found(Kind.SENDER_OFFLINE, address=address, state=hook.state))
    if not console.reads_messaging:
        add(found(Kind.OWN_TOKEN, **values))
    service = next((each for each in services if address in each.pool), None)
    chosen = account.messaging_service_sid
    if chosen in {each.sid for each in services} and (service is None or service.sid != chosen):
        add(found(Kind.NOT_IN_SERVICE, address=address, service=str(chosen)))
    if service is None or service.defers:
        return hook
    add(found(Kind.IN_SERVICE, address=address, service=service.sid))
    return service


def _of_hook(hook: Hook, url: str) -> Iterator[Finding]:
    """At least one finding: that it is well."""
    name, wrong = hook.name, False
    base, _, overrides = hook.url.partition("#")
    checks = (
        (Kind.WEBHOOK_APPLICATION, bool(hook.application)),
        (Kind.WEBHOOK_NONE, not hook.url),
        (Kind.WEBHOOK_ELSEWHERE, bool(hook.url) and base != url.partition("#")[0]),
        (Kind.WEBHOOK_GET, bool(hook.url) and hook.method.upper() != "POST"),
        (Kind.WEBHOOK_RETRIES, base == url.partition("#")[0] and not _tries_again(overrides)),
        (Kind.WEBHOOK_FALLBACK, bool(hook.fallback)),
    )
    for kind, is_so in checks:
        if is_so:
            wrong = True
            yield found(kind, name=name, url=url, called=shown(hook.url), application=hook.application)
    if not wrong:
        yield found(Kind.WEBHOOK, name=name)


def _tries_again(overrides: str) -> bool:
    """Whether what follows the # makes Twilio repeat after a lost connection, a slow answer and a 5xx."""
    told = dict(part.partition("=")[::2] for part in overrides.split("&"))
    reasons = set(told.get("rp", "").split(","))
    return told.get("rc", "") in {"1", "2", "3", "4", "5"} and ("all" in reasons or reasons >= NEEDED)


def shown(url: str) -> str:
    """A URL of somebody's without what may be a secret in it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return NO_URL
    host = parts.netloc.rpartition("@")[2]
    fragment = parts.fragment if re.fullmatch(r"[a-z0-9=&,]+", parts.fragment) else ""
    return urlunsplit((parts.scheme, host, parts.path, "…" if parts.query else "", fragment))
