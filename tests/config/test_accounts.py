"""Several accounts in the configuration: one table each, secrets from wherever other secrets come, all faults at once."""

import re
import tomllib
from pathlib import Path

import pytest

from appliance.config import Config, load, redacted
from appliance.config.sections import secrets_of
from appliance.errors import ConfigurationError
from appliance.model import MAIN

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
SIDS = ["AC" + str(number) * 32 for number in range(4)]
SERVICE = "MG" + "0" * 32
HEAD = '[server]\npublic_url = "https://answers.example.com"\n'
MAIN_ONE = f'[twilio]\naccount_sid = "{SIDS[0]}"\nauth_tokens = ["first-token"]\n'


def account(name: str, number: int, *lines: str) -> str:
    return "\n".join(["[[twilio.accounts]]", f'name = "{name}"', f'account_sid = "{SIDS[number]}"', *lines, ""])


def loaded(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> Config:
    path = tmp_path / "config.toml"
    path.write_text(HEAD + text, "utf-8")
    return load(path, environ or {}, serving=True)


def faults(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, text)
    return caught.value.faults


def test_the_section_itself_is_the_only_account_by_default(tmp_path: Path) -> None:
    """What stood in older files is an account named main, with all that it had."""
    (only,) = loaded(tmp_path, MAIN_ONE + 'api_url = "http://127.0.0.1:9"\n').accounts

    assert (only.name, only.account_sid, only.auth_tokens) == (MAIN, SIDS[0], ("first-token",))
    assert (only.api_url, only.messaging_service_sid, only.parent) == ("http://127.0.0.1:9", None, None)


def test_listed_accounts_stand_beside_it_or_alone(tmp_path: Path) -> None:
    """main first; an account without an address of its own has the section's; nothing of a shell's slips in."""
    clinic = account("clinic", 1, 'auth_tokens = ["t"]', f'messaging_service_sid = "{SERVICE}"')
    branch = account("branch", 2, 'parent = "clinic"', 'api_url = "http://127.0.0.1:8"')
    both = loaded(tmp_path, MAIN_ONE + clinic + branch).accounts
    shell = {"TWILIO_ACCOUNT_SID": SIDS[3], "TWILIO_AUTH_TOKEN": "the-shells"}
    alone = loaded(tmp_path, clinic + branch, shell).accounts

    assert [each.name for each in both] == [MAIN, "clinic", "branch"]
    assert [each.api_url for each in both] == ["https://api.twilio.com"] * 2 + ["http://127.0.0.1:8"]
    assert [each.name for each in alone] == ["clinic", "branch"]
    assert alone[0].messaging_service_sid == SERVICE


def test_each_accounts_secrets_come_from_anywhere(tmp_path: Path) -> None:
    """A variable before a secret file before a credential before the file, for each account by itself."""
    names = ("a", "b_2", "c")
    (tmp_path / "twilio.accounts.c.auth_tokens").write_text("by-credential\nnext-one\n")
    (tmp_path / "secret").write_text("by-file\n")
    environ = {
        "APPLIANCE_TWILIO__ACCOUNTS__A__AUTH_TOKENS": '["by-variable"]',
        "APPLIANCE_TWILIO__ACCOUNTS__B_2__AUTH_TOKENS_FILE": str(tmp_path / "secret"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    text = "".join(account(name, number, 'auth_tokens = ["in-the-file"]') for number, name in enumerate(names, 1))
    config = loaded(tmp_path, text, environ)

    assert [each.auth_tokens for each in config.accounts] == [
        ("by-variable",),
        ("by-file",),
        ("by-credential", "next-one"),
    ]
    assert set(secrets_of(config)) == {"by-variable", "by-file", "by-credential", "next-one"}


def test_no_secret_of_an_account_is_shown(tmp_path: Path) -> None:
    """Neither by `config show` nor by repr; the rest reads like the file."""
    config = loaded(tmp_path, MAIN_ONE + account("clinic", 1, 'auth_tokens = ["hidden-token"]'))
    shown = redacted(config)

    assert shown["twilio.accounts.clinic"]["name"] == "clinic"
    assert shown["twilio.accounts.clinic"]["account_sid"] == SIDS[1]
    assert "hidden-token" not in f"{shown} {config!r}"
    assert shown["twilio.accounts.clinic"]["auth_tokens"] == "… (1 set)"


ILL = f"""
{MAIN_ONE}
{account("main", 1, 'auth_tokens = ["t"]')}
{account("clinic", 0, 'auth_tokens = ["t"]')}
{account("branch", 2)}
{account("shop", 3, 'auth_tokens = ["t"]', 'parent = "branch"', 'api_key_sid = "SK' + "0" * 32 + '"')}
{account("clinic", 3, 'auth_tokens = ["t"]')}
{account("Big", 3, 'auth_tokens = ["t"]')}
[[twilio.accounts]]
name = "lone"
account_sid = "AC1"
auth_token = ["t"]
parent = "lone"
"""


def test_all_faults_of_accounts_are_told_at_once(tmp_path: Path) -> None:
    """Names twice or ill-formed, a sid twice, secrets missing, unknown keys, no parent: one sentence each, no secret."""
    told = faults(tmp_path, ILL)

    assert [re.sub(r"; .*", "", line) for line in told] == [
        "twilio.accounts: number 1 is named main as [twilio] itself is",
        "twilio.accounts: number 5 is named clinic as another is",
        "twilio.accounts: the name of number 6 is 'Big': must be a lower-case letter, then letters, digits and _, "
        "at most 32 characters",
        "twilio.accounts.lone.auth_token: unknown key",
        "twilio.accounts.lone.account_sid = 'AC1' (from " + str(tmp_path / "config.toml") + "): must be AC and 32 "
        "hexadecimal digits",
        "twilio.accounts.branch.auth_tokens: not set",
        f"twilio.accounts.clinic.account_sid: {SIDS[0]} is the account of twilio.account_sid already",
        "twilio.accounts.shop.api_key_secret: not set, but twilio.accounts.shop.api_key_sid is",
        "twilio.accounts.lone.parent = 'lone': must be an account that is no subaccount itself: main, clinic, branch",
    ]


@pytest.mark.parametrize("accounts", ['"clinic"', "[1]", "{ clinic = 1 }"])
def test_accounts_are_tables(tmp_path: Path, accounts: str) -> None:
    """Anything else is one fault, not one for each thing that is missing."""
    told = faults(tmp_path, f"{MAIN_ONE}accounts = {accounts}\n")

    assert told == ["twilio.accounts: must be tables, each [[twilio.accounts]] with a name"]


def test_the_examples_accounts_are_valid(tmp_path: Path) -> None:
    """The tables that the reference shows as comments load as they stand."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    first = lines.index("# [[twilio.accounts]]")
    shown = [line[2:] for line in lines[first : lines.index("[ai]")] if line.startswith("# ")]
    config = loaded(tmp_path, "\n".join(shown) + "\n")

    assert [each.name for each in config.accounts] == [
        each["name"] for each in tomllib.loads("\n".join(shown))["twilio"]["accounts"]
    ]
