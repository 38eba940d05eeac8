"""The sentences of `check`, one format for each, with named values: here alone. The translations have them as keys."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from appliance.config.sections import NO_FILE
from appliance.diagnosis.finding import Finding, Kind
from appliance.diagnosis.webhook import NO_URL
from appliance.notices.translation import translated, translation
from appliance.ports import Place

_PASTE = 'Set it in the Twilio Console, with POST: "{url}" Or: appliance check --online --fix'
_RUNNING = "sudo systemctl restart appliance"
_TLS = "Get one for that name from a public authority, as Let's Encrypt; Twilio calls nothing else."


@dataclass(frozen=True, slots=True)
class Words:
    """What was looked at, what is so, what to do."""

    subject: str
    what: str
    fix: str = ""


_CONFIGURATION, _ACCOUNT, _CHANNEL, _WEBHOOK, _URL = (
    "Configuration",
    "Account {account}",
    "Channel {address}",
    "Webhook {name}",
    "Public URL",
)
ENGLISH = {
    Kind.CONFIGURATION: Words(_CONFIGURATION, "{source}"),
    Kind.EXPOSED: Words(
        _CONFIGURATION, "{file} holds secrets, and every user of this machine may read it.", "chmod o-rwx {quoted}"
    ),
    Kind.PRIVATE_URL: Words(
        _URL,
        "Twilio cannot call {url}: only this machine or its network knows that host.",
        "Set server.public_url to the https:// address of your proxy or tunnel.",
    ),
    Kind.ACCOUNT: Words(_ACCOUNT, "{sid}"),
    Kind.DATABASE: Words("Database", "{file}"),
    Kind.DATABASE_NONE: Words("Database", "{file} (made at the first start)"),
    Kind.DATABASE_FAULTY: Words(
        "Database", "{problem}", "Keep a copy of the directory. A backup is put back with: appliance restore FILE"
    ),
    Kind.ORGANIZATION: Words("Organization", "{name}, topics: {topics}"),
    Kind.NO_ORGANIZATION: Words(
        "Organization",
        "None is registered, so nobody is answered.",
        "appliance org register NAME --channel ADDRESS --user EMAIL",
    ),
    Kind.NO_KNOWLEDGE: Words(
        "Organization",
        "{name} has no topic, so there is nothing to answer from.",
        "appliance knowledge import FILE --org {quoted}",
    ),
    Kind.LOGIN: Words(_ACCOUNT, "Twilio accepts the login."),
    Kind.LOGIN_REFUSED: Words(
        _ACCOUNT,
        "Twilio refuses the account SID with each token (error 20003).",
        "Copy both from the first page of the Twilio Console into the configuration, then: " + _RUNNING,
    ),
    Kind.TOKEN_STALE: Words(
        _ACCOUNT,
        "Twilio does not accept token {number} of auth_tokens.",
        "Take it out of the list, once no other box signs or sends with it.",
    ),
    Kind.KEY_REFUSED: Words(
        _ACCOUNT,
        "Twilio refuses the API key; the token works.",
        "Make a key in the Twilio Console and set api_key_sid and api_key_secret, or take both out.",
    ),
    Kind.UNREACHABLE: Words(
        _ACCOUNT,
        "Twilio could not be asked: {reason}.",
        "Look at this machine's network and at https://status.twilio.com, then try again.",
    ),
    Kind.FULL: Words(_ACCOUNT, "It is a full account."),
    Kind.TRIAL: Words(
        _ACCOUNT,
        "It is a trial account: it writes to verified numbers alone, and by SMS no text of its own.",
        "Upgrade it in the Twilio Console.",
    ),
    Kind.TRIAL_SANDBOX: Words(
        _ACCOUNT,
        "It is a trial account, which is enough for the sandbox.",
        "Upgrade it in the Twilio Console before customers write.",
    ),
    Kind.TRIAL_UNKNOWN: Words(
        _ACCOUNT, "Whether it is a trial account does not show with an API key.", "Set its auth_tokens to see it."
    ),
    Kind.SUSPENDED: Words(
        _ACCOUNT,
        "Twilio calls it {state}: it receives and sends nothing.",
        "Sign in to the Twilio Console, which says why.",
    ),
    Kind.CLOCK: Words("Clock", "Less than {seconds} s away from Twilio's."),
    Kind.CLOCK_BEHIND: Words("Clock", "It is {minutes} min behind Twilio's.", "sudo timedatectl set-ntp true"),
    Kind.CLOCK_AHEAD: Words("Clock", "It is {minutes} min ahead of Twilio's.", "sudo timedatectl set-ntp true"),
    Kind.SERVICE_ABSENT: Words(
        _ACCOUNT,
        "It has no Messaging Service {service}, through which the answers are to go.",
        "Set messaging_service_sid to one that it has, or take it out.",
    ),
    Kind.SANDBOX: Words(
        _CHANNEL,
        "The sandbox's webhook cannot be read.",
        'On the sandbox\'s page, "When a message comes in", with POST: "{url}"',
    ),
    Kind.UNREADABLE: Words(
        _CHANNEL, "The webhook of such a channel cannot be read.", 'Set it in the Twilio Console, with POST: "{url}"'
    ),
    Kind.OWN_TOKEN: Words(
        _CHANNEL,
        "A WhatsApp sender or a Messaging Service shows its webhook to the account's own login alone.",
        "Set auth_tokens of {account}.",
    ),
    Kind.NOT_SHOWN: Words(
        _CHANNEL, "Twilio did not show how it is set: {reason}.", "Try again; look at https://status.twilio.com."
    ),
    Kind.NUMBER_ABSENT: Words(
        _CHANNEL,
        "Account {account} has no such number.",
        "Look at the number in the Twilio Console. Where another account has it: appliance channel move",
    ),
    Kind.SENDER_ABSENT: Words(
        _CHANNEL,
        "Account {account} has no such WhatsApp sender.",
        "Register it in the Twilio Console. Where another account has it: appliance channel move",
    ),
    Kind.SENDER_OFFLINE: Words(
        _CHANNEL, "The WhatsApp sender is {state}.", "Look at it in the Twilio Console under WhatsApp senders."
    ),
    Kind.IN_SERVICE: Words(_CHANNEL, "It is there; Messaging Service {service} has its webhook."),
    Kind.NOT_IN_SERVICE: Words(
        _CHANNEL,
        "It is not in the sender pool of {service}, so Twilio refuses its answers.",
        "Add it to the pool in the Twilio Console, or take out messaging_service_sid.",
    ),
    Kind.WEBHOOK: Words(_WEBHOOK, "It leads here, by POST, and Twilio tries again."),
    Kind.WEBHOOK_NONE: Words(_WEBHOOK, "None is set: what customers write gets nowhere.", _PASTE),
    Kind.WEBHOOK_ELSEWHERE: Words(_WEBHOOK, "Twilio calls {called}", _PASTE),
    Kind.WEBHOOK_GET: Words(_WEBHOOK, "It is called with GET, so customers' words get into proxies' logs.", _PASTE),
    Kind.WEBHOOK_RETRIES: Words(
        _WEBHOOK, "Twilio does not try again where this box is slow or fails: what follows the # is missing.", _PASTE
    ),
    Kind.WEBHOOK_FALLBACK: Words(
        _WEBHOOK,
        "There is a fallback URL: what it says would be a second answer.",
        "Empty it in the Twilio Console, or: appliance check --online --fix",
    ),
    Kind.WEBHOOK_APPLICATION: Words(
        _WEBHOOK,
        "The TwiML app {application} counts in its place.",
        "Take the app off the number in the Twilio Console, or: appliance check --online --fix",
    ),
    Kind.WEBHOOK_NOT_SET: Words(_WEBHOOK, "Twilio did not take the change: {reason}.", _PASTE),
    Kind.WAY_IN: Words(_URL, "{url} leads to this appliance, signatures hold ({milliseconds} ms)."),
    Kind.NOT_RUNNING: Words(
        _URL,
        "The appliance does not run, so the way to it was not tried.",
        "sudo systemctl start appliance",
    ),
    Kind.OLDER: Words(_URL, "The appliance that runs is older than this command.", _RUNNING),
    Kind.OTHER_URL: Words(_URL, "The appliance that runs still has {theirs}", _RUNNING),
    Kind.DNS: Words(
        _URL,
        "No name server knows {host}.",
        "Look at server.public_url and at your DNS. A quick tunnel has another name after each start.",
    ),
    Kind.REFUSED: Words(
        _URL, "{host}, port {port}, refuses the connection.", "Start the proxy or the tunnel, or open that port to it."
    ),
    Kind.NO_ROUTE: Words(_URL, "There is no way to {host}, port {port}.", "Look at this machine's network."),
    Kind.SLOW: Words(
        _URL,
        "No answer from {host} within {seconds} s.",
        "A firewall may drop it. Where it opens from a phone's mobile network it is only the router, which does not "
        "lead its own network back in.",
    ),
    Kind.BROKEN: Words(
        _URL, "{host} took the request and hung up ({reason}).", "Look at the log of the proxy or the tunnel."
    ),
    Kind.TLS_EXPIRED: Words(
        _URL, "The certificate of {host} is not valid today.", "Renew it; look at this machine's clock too."
    ),
    Kind.TLS_NAME: Words(_URL, "The certificate is not for {host}.", _TLS),
    Kind.TLS_SELF_SIGNED: Words(_URL, "The certificate of {host} is signed by itself.", _TLS),
    Kind.TLS_ISSUER: Words(
        _URL,
        "The certificate of {host} does not lead to an authority that is known here ({reason}).",
        "Let the proxy send the whole chain, or: " + _TLS,
    ),
    Kind.TLS_NONE: Words(
        _URL, "{host}, port {port}, does not speak TLS ({reason}).", "Look at scheme and port of server.public_url."
    ),
    Kind.REDIRECT: Words(
        _URL,
        "It redirects ({status}) to {location} A redirected POST loses its parameters.",
        "Set server.public_url to where it leads, or let /twilio/ through as it is.",
    ),
    Kind.REWRITTEN: Words(
        _URL,
        "The request was sent to {sent} and arrived as {target}",
        "Let the proxy leave path and query as they are, less the path of server.public_url.",
    ),
    Kind.UNSIGNED: Words(_URL, "The request arrived without X-Twilio-Signature.", "Let the proxy pass that header on."),
    Kind.ALTERED: Words(
        _URL,
        "The request arrived and its signature does not hold.",
        "Where auth_tokens were changed: " + _RUNNING + " Else the proxy changes the body.",
    ),
    Kind.ANSWER_CHANGED: Words(
        _URL,
        "The request arrived and was answered with 204, which came back as {status}.",
        "Let the proxy pass answers on as they are, without a page of its own.",
    ),
    Kind.FORBIDDEN: Words(
        _URL,
        "Something in front of the appliance refuses it ({status}).",
        "Let /twilio/ through without a login or a filter: the signature is what protects it.",
    ),
    Kind.NO_PATH: Words(
        _URL,
        "What answers there has no {sent} (404).",
        "Lead /twilio/ to {listen}, without the path that server.public_url may have.",
    ),
    Kind.DOWN: Words(
        _URL,
        "The proxy or the tunnel is up, and what is behind it does not answer ({status}).",
        "Start the tunnel's other end, and lead it to {listen}.",
    ),
    Kind.ANOTHER_BOX: Words(
        _URL, "Another appliance answers there, not this one.", "Stop the other one, or lead the URL to {listen} here."
    ),
    Kind.STRANGER: Words(
        _URL, "Something that is no appliance answers there ({status}).", "Lead the URL to {listen} here."
    ),
    Kind.MODEL: Words("Model", "{model} answered in {seconds} s; tokens read: {tokens_in}, written: {tokens_out}."),
    Kind.MODEL_UNCOUNTED: Words("Model", "{model} answered in {seconds} s; its server does not count tokens."),
    Kind.MODEL_FAILED: Words(
        "Model", "{model} does not answer: {reason}.", "Look at ai.base_url, ai.model and ai.api_key."
    ),
    Kind.FAQ: Words("Model", "None: the offline FAQ answers and costs nothing; topics: {topics}."),
    Kind.BACKUP: Words("Backup", "{file} opens; it is {hours} h old."),
    Kind.BACKUP_NONE: Words("Backup", "There is no copy of the database.", "appliance backup"),
    Kind.BACKUP_OLD: Words(
        "Backup",
        "The newest copy, {file}, is {days} days old.",
        "Look at the cards (appliance status), then: appliance backup",
    ),
    Kind.BACKUP_BROKEN: Words("Backup", "The newest copy does not open: {reason}", "appliance backup"),
}


ALL_WELL = "All is well."
TO_DO = "To do: {count} of {all}."
TO_NOTE = "To note: {count}."
CHANGE = "Change it at Twilio?"
CHANGED = "{place} {name}, account {account}"
FIELDS = {"url": "url", "method": "method", "fallback": "fallback", "application": "application"}  # of a Hook
NOTHING = "(none)"
OURS = (NO_FILE, NO_URL, *Place)  # values that are words of ours
_MAY_BE_OURS = ("reason", "source", "called", "location")


def words(finding: Finding, language: str = "en") -> Words:
    """Its sentences with its values; no fix where there is nothing to do."""
    told, tongue, values = ENGLISH[finding.kind], translation(language), dict(finding.values)
    for name in values.keys() & _MAY_BE_OURS:
        values[name] = translated(str(values[name]), language)
    parts = (told.subject, told.what, told.fix)
    return Words(*(tongue.gettext(part).format_map(values) if part else "" for part in parts))


def summary(findings: Sequence[Finding], language: str) -> str:
    """The last line."""
    tongue = translation(language)
    bad, noted = (sum(each.ok is ok for each in findings) for ok in (False, None))
    told = [tongue.gettext(TO_DO if bad else ALL_WELL).format(count=bad, all=len(findings))]
    told += [tongue.gettext(TO_NOTE).format(count=noted)] if noted else []
    return " ".join(told)


def sentences() -> Iterator[str]:
    """All that is translated."""
    for told in ENGLISH.values():
        yield from filter(None, (told.subject, told.what, told.fix))
    yield from (ALL_WELL, TO_DO, TO_NOTE, CHANGE, CHANGED, *FIELDS.values(), NOTHING, *OURS)
