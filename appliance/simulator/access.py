"""Who asks the simulated REST API, and for which of its accounts."""

from base64 import b64decode
from binascii import Error as Base64Error

from aiohttp import web

from appliance.simulator.refusal import RefusedError
from appliance.simulator.resource import API
from appliance.simulator.twilio import Twilio

TWILIO = web.AppKey("twilio", Twilio)
ACCOUNTS = web.AppKey("accounts", dict[str, Twilio])


def is_rest(path: str) -> bool:
    """Of api.twilio.com, and of messaging.twilio.com, whose paths begin with a version."""
    return path.startswith((API, "/v1/", "/v2/"))


def login(request: web.Request) -> tuple[str, str]:
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    try:
        username, _, password = b64decode(given, validate=True).decode().partition(":")
    except (Base64Error, UnicodeDecodeError):
        return "", ""
    return (username, password) if scheme.lower() == "basic" else ("", "")


def account_of(request: web.Request) -> Twilio:
    """The account that the path names, the first one where it names none that is here; elsewhere than below API the
    one whose own login this is: a parent's opens nothing of a subaccount there.
    """
    accounts, first = request.app[ACCOUNTS], request.app[TWILIO]
    if request.path.startswith(API):
        return accounts.get(request.match_info.get("account", ""), first)
    username = login(request)[0]
    return next((account for account in accounts.values() if account.owns(username)), first)


def authenticate(request: web.Request, twilio: Twilio) -> None:
    """Raises RefusedError."""
    account = request.match_info.get("account", twilio.account_sid)
    if account != twilio.account_sid or twilio.revoked or not twilio.knows(*login(request)):
        raise RefusedError(20003, "Authenticate", 401)
