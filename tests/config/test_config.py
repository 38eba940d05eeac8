"""The configuration: what each key accepts, which source wins, and that every fault is said at once without a secret."""

import json
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance import config as config_module
from appliance.config import Address, Config, find, load, redacted
from appliance.config.durations import DAY, format_duration, parse_duration
from appliance.config.sections import KEYS, value_of
from appliance.config.sources import variable_of
from appliance.errors import ConfigurationError
from appliance.model import HOUR, MINUTE, SECOND

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"
ACCOUNT = "AC" + "0123456789abcdef" * 2
API_KEY_SID = "SK" + "0123456789abcdef" * 2
TOKEN = "5ecre7" + "f" * 26
LONG = "correct-horse-battery-staple-2026-x"
SERVE = {
    "APPLIANCE_SERVER__PUBLIC_URL": "https://answers.example.com",
    "TWILIO_ACCOUNT_SID": ACCOUNT,
    "TWILIO_AUTH_TOKEN": TOKEN,
}


def file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(text, "utf-8")
    return path


def setting(name: str, toml_value: str, tmp_path: Path) -> object:
    """The setting that a file with this one key gives."""
    section, _, key = name.partition(".")
    return value_of(load(file(tmp_path, f"[{section}]\n{key} = {toml_value}\n"), {}, serving=False), name)


def faults(path: Path | None, environ: Mapping[str, str] | None = None, *, serving: bool = False) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(path, environ or {}, serving=serving)

    assert str(caught.value).splitlines() == caught.value.faults
    assert caught.value.exit_status == 78
    return caught.value.faults


DEFAULTS = {
    "server.listen": Address("127.0.0.1", 8080),
    "server.public_url": "",
    "server.api_key": None,
    "server.metrics_listen": None,
    "server.trusted_proxies": (),
    "server.page_hosts": (),
    "server.language": None,
    "storage.directory": Path("/var/lib/appliance"),
    "twilio.account_sid": "",
    "twilio.auth_tokens": (),
    "twilio.api_key_sid": None,
    "twilio.api_key_secret": None,
    "twilio.messaging_service_sid": None,
    "twilio.api_url": "https://api.twilio.com",
    "twilio.timeout": 10 * SECOND,
    "twilio.on_doubt": "resend",
    "twilio.doubt_grace": 3 * MINUTE,
    "twilio.catch_up_every": 5 * MINUTE,
    "twilio.catch_up_answer_within": 2 * HOUR,
    "ai.provider": "faq",
    "ai.base_url": None,
    "ai.api_key": None,
    "ai.model": None,
    "ai.max_output_tokens": 400,
    "ai.context_tokens": 6_000,
    "ai.reasoning_effort": None,
    "ai.deadline": 45 * SECOND,
    "queue.engine": "sqlite",
    "queue.concurrency": 8,
    "queue.max_attempts": 5,
    "queue.reply_max_age": 24 * HOUR,
    "conversations.idle_after": 15 * MINUTE,
    "conversations.expire_after": 24 * HOUR,
    "conversations.check_every": 60 * SECOND,
    "conversations.reply_delay": 3 * SECOND,
    "conversations.reply_delay_max": 12 * SECOND,
    "conversations.human_for": 12 * HOUR,
    "conversations.max_replies_per_hour": 20,
    "alerts.url": None,
    "alerts.ping_url": None,
    "log.level": "info",
    "log.format": "auto",
}


def test_defaults_are_the_contract_s() -> None:
    """With no file and no variable every key has the published default, and there is no other key."""
    config = load(None, {}, serving=False)

    assert {name: value_of(config, name) for name in KEYS} == DEFAULTS
    assert config.source == "defaults and environment"
    assert config == Config()


def test_settings_are_frozen() -> None:
    """Nobody changes a setting after it was read."""
    with pytest.raises(AttributeError):
        Config().queue.concurrency = 1  # type: ignore[misc]


ACCEPTED = [
    ("server.listen", '"0.0.0.0:80"', Address("0.0.0.0", 80)),
    ("server.listen", '"localhost:8080"', Address("localhost", 8080)),
    ("server.listen", '"[::1]:8080"', Address("::1", 8080)),
    ("server.listen", '"127.0.0.1:0"', Address("127.0.0.1", 0)),
    ("server.metrics_listen", '"[::]:9090"', Address("::", 9090)),
    ("server.public_url", '"https://a.example/"', "https://a.example"),
    ("server.public_url", '"http://a.example:8443/twilio-hooks/"', "http://a.example:8443/twilio-hooks"),
    ("server.api_key", f'"{"k" * 32}"', "k" * 32),
    ("server.page_hosts", '["Box.Example", "10.0.0.1"]', ("box.example", "10.0.0.1")),
    ("server.trusted_proxies", '["10.0.0.0/8", "::1"]', (ip_network("10.0.0.0/8"), ip_network("::1"))),
    ("server.language", '"es"', "es"),
    ("storage.directory", '"/srv/appliance"', Path("/srv/appliance")),
    ("twilio.account_sid", f'"{ACCOUNT}"', ACCOUNT),
    ("twilio.auth_tokens", '["new", "old"]', ("new", "old")),
    ("twilio.api_url", '"http://127.0.0.1:9000/"', "http://127.0.0.1:9000"),
    ("twilio.on_doubt", '"park"', "park"),
    ("twilio.timeout", '"1s"', SECOND),
    ("twilio.catch_up_every", '"0"', 0),
    ("twilio.catch_up_answer_within", "0", 0),
    ("ai.base_url", '"http://my_llm:11434/v1/"', "http://my_llm:11434/v1"),
    ("ai.model", '"meta-llama/llama-3.1-8b:free"', "meta-llama/llama-3.1-8b:free"),
    ("ai.deadline", '"1h"', HOUR),
    ("queue.concurrency", "1", 1),
    ("queue.reply_max_age", '"7d"', 7 * DAY),
    ("conversations.reply_delay", "0", 0),
    ("conversations.reply_delay_max", '"90s"', 90 * SECOND),
    ("conversations.max_replies_per_hour", "0", 0),
    ("alerts.url", '"https://user:pw@ntfy.example/topic?up=1"', "https://user:pw@ntfy.example/topic?up=1"),
    ("alerts.ping_url", '"https://hc-ping.com/0a1b"', "https://hc-ping.com/0a1b"),
    ("log.level", '"debug"', "debug"),
    ("log.format", '"json"', "json"),
]


@pytest.mark.parametrize(("name", "toml_value", "expected"), ACCEPTED)
def test_accepts(name: str, toml_value: str, expected: object, tmp_path: Path) -> None:
    """A value in its published form becomes the setting."""
    assert setting(name, toml_value, tmp_path) == expected


REFUSED = [
    ("server.listen", '"nowhere"', "'nowhere'", "host:port"),
    ("server.listen", '"127.0.0.1:65536"', "'127.0.0.1:65536'", "host:port"),
    ("server.listen", '"::1:8080"', "'::1:8080'", "[::1]:8080"),
    ("server.listen", '"[::g]:8080"', "'[::g]:8080'", "host:port"),
    ("server.listen", '"999.0.0.1:80"', "'999.0.0.1:80'", "host:port"),
    ("server.listen", "8080", "8080", "host:port"),
    ("server.listen", "{ port = 1 }", "a table", "host:port"),
    ("server.public_url", '"ftp://a.example"', "'ftp://a.example'", "http:// or https://"),
    ("server.public_url", '"https://"', "'https://'", "host"),
    ("server.public_url", '"https://my_box.example"', "'https://my_box.example'", "without underscore"),
    ("server.public_url", '"https://a.example/?x=1"', "'https://a.example/…'", "query"),
    ("server.public_url", '"https://a.example/?"', "'https://a.example/…'", "query"),
    ("server.public_url", '"https://a.example/#top"', "'https://a.example/…'", "fragment"),
    ("server.public_url", '"https://a.example\\n/x"', "'https://a.example\\n/x'", "path"),
    ("server.public_url", '"https://a.example:x"', "'https://a.example:x'", "host"),
    ("server.public_url", '"https://a.example:99999"', "'https://a.example:99999'", "host"),
    ("server.public_url", '"https://[::1"', "'https://[::1'", "host"),
    ("server.api_key", '"too-short"', "…", "at least 32 characters"),
    ("server.language", '"pt"', "'pt'", "pt-BR, en or es"),
    ("server.trusted_proxies", '["10.0.0.0/33"]', "['10.0.0.0/33']", "IP addresses or networks"),
    ("server.trusted_proxies", '["10.0.0.1/8"]', "['10.0.0.1/8']", "IP addresses or networks"),
    ("server.trusted_proxies", '"10.0.0.1"', "'10.0.0.1'", "a list"),
    ("server.trusted_proxies", "[1, true]", "[1, true]", "a list"),
    ("server.page_hosts", '["https://a.example"]', "['https://a.example']", "host names"),
    ("server.page_hosts", '["a.example:80"]', "['a.example:80']", "host names"),
    ("storage.directory", '""', "''", "a directory's path"),
    ("storage.directory", '"~/data"', "'~/data'", "~ is not expanded"),
    ("storage.directory", f'"/{"long/" * 20}"', "'/long/", "107 bytes"),
    ("storage.directory", '"a\\u0000b"', "'a\\x00b'", "a directory's path"),
    ("twilio.account_sid", '"AC123"', "'AC123'", "AC and 32 hexadecimal digits"),
    ("twilio.account_sid", f'"{ACCOUNT}0"', f"'{ACCOUNT}0'", "AC and 32 hexadecimal digits"),
    ("twilio.auth_tokens", '"only-one"', "…", "a list"),
    ("twilio.auth_tokens", '["good", ""]', "…", "a list"),
    ("twilio.api_key_sid", '"nope"', "'nope'", "SK and 32"),
    ("twilio.timeout", '"0"', "'0'", "from 1s"),
    ("twilio.timeout", '"500ms"', "'500ms'", "30s, 15m, 24h or 7d"),
    ("twilio.timeout", '"6m"', "'6m'", "to 5m"),
    ("twilio.timeout", "10", "10", "a duration"),
    ("twilio.timeout", '"1h30m"', "'1h30m'", "a duration"),
    ("twilio.timeout", '"٣s"', "'٣s'", "a duration"),
    ("twilio.on_doubt", '"ignore"', "'ignore'", "resend or park"),
    ("ai.provider", '"openai"', "'openai'", "faq or llm"),
    ("ai.base_url", '"localhost:11434"', "'localhost:11434'", "http:// or https://"),
    ("ai.model", '"two words"', "'two words'", "without spaces"),
    ("ai.max_output_tokens", "0", "0", "from 1"),
    ("ai.context_tokens", "512", "512", "from 1000"),
    ("ai.reasoning_effort", '"very low"', "'very low'", "one word"),
    ("ai.deadline", '"2h"', "'2h'", "to 1h"),
    ("queue.engine", '"redis"', "'redis'", "sqlite, the only engine for now"),
    ("queue.concurrency", "0", "0", "from 1 to 256"),
    ("queue.concurrency", "true", "true", "a whole number"),
    ("queue.concurrency", '"8"', "'8'", "a whole number"),
    ("queue.concurrency", "8.5", "8.5", "a whole number"),
    ("queue.max_attempts", "1000", "1000", "from 1 to 100"),
    ("conversations.check_every", '"0"', "'0'", "from 1s"),
    ("conversations.max_replies_per_hour", "-1", "-1", "from 0"),
    ("conversations.idle_after", "2026-01-01", "a date or time", "a duration"),
    ("alerts.url", '"mailto:me@example.com"', "…", "http:// or https://"),
    ("alerts.ping_url", '"hc-ping.com/0a1b"', "…", "http:// or https://"),
    ("log.level", '"INFO"', "'INFO'", "debug, info, warning or error"),
    ("log.format", '"xml"', "'xml'", "auto, json or console"),
]


@pytest.mark.parametrize(("name", "toml_value", "shown", "allowed"), REFUSED)
def test_refuses(name: str, toml_value: str, shown: str, allowed: str, tmp_path: Path) -> None:
    """One wrong value is one line: the key, the value, where it stands and what is allowed."""
    section, _, key = name.partition(".")
    path = file(tmp_path, f"[{section}]\n{key} = {toml_value}\n")
    (fault,) = faults(path)

    assert fault.startswith(f"{name} = {shown}")
    assert allowed in fault.partition(": must be ")[2]
    assert f"(from {path})" in fault


TOGETHER = [
    (
        "[conversations]\nreply_delay = '30s'",
        "reply_delay = 30s: must be at most conversations.reply_delay_max = 12s (the default)",
    ),
    ("[conversations]\nreply_delay = '30s'", "; set conversations.reply_delay_max as well"),
    ("[conversations]\nreply_delay_max = 0", "conversations.reply_delay = 3s (the default): must be at most"),
    (
        "[conversations]\nreply_delay = '5s'\nreply_delay_max = '4s'",
        "reply_delay = 5s: must be at most conversations.reply_delay_max = 4s",
    ),
    (
        "[conversations]\nidle_after = '24h'",
        "conversations.idle_after = 24h: must be shorter than conversations.expire_after",
    ),
    ("[conversations]\nexpire_after = '10m'", "conversations.idle_after = 15m (the default): must be shorter than"),
    (
        f"[twilio]\napi_key_sid = '{API_KEY_SID}'",
        "twilio.api_key_secret: not set, but twilio.api_key_sid is; set both or none",
    ),
    ("[twilio]\napi_key_secret = 'x'", "twilio.api_key_sid: not set, but twilio.api_key_secret is; set both or none"),
    ("[ai]\nprovider = 'llm'\nmodel = 'm'", "ai.base_url: not set, but ai.provider = llm needs it"),
    ("[ai]\nprovider = 'llm'\nbase_url = 'http://x/v1'", "ai.model: not set, but ai.provider = llm needs it"),
    ("[server]\nmetrics_listen = '127.0.0.1:8080'", "server.metrics_listen = 127.0.0.1:8080: must be another address"),
]


@pytest.mark.parametrize(("toml", "expected"), TOGETHER)
def test_refuses_what_does_not_go_together(toml: str, expected: str, tmp_path: Path) -> None:
    """Settings that contradict each other are one fault that names both."""
    (fault,) = faults(file(tmp_path, toml))

    assert expected in fault


def test_a_contradiction_with_a_refused_value_is_not_said(tmp_path: Path) -> None:
    """A wrong value is one fault, not also one against the default that stands in for it."""
    path = file(tmp_path, "[conversations]\nreply_delay = 'soon'\nreply_delay_max = '1s'\n")

    assert [fault.split(" ")[0] for fault in faults(path)] == ["conversations.reply_delay"]


UNKNOWN = [
    ("[sever]\nlisten = 'x'", {}, "sever: unknown section; the nearest known is server"),
    ("[twilio]\nauth_token = 'x'", {}, "twilio.auth_token: unknown key; the nearest known is twilio.auth_tokens"),
    (
        "[conversations]\nidle = '1m'",
        {},
        "conversations.idle: unknown key; the nearest known is conversations.idle_after",
    ),
    ("reply_delay = '3s'", {}, "reply_delay: unknown key; the nearest known is conversations.reply_delay"),
    ("server = 1", {}, "server: must be a section, [server]"),
    ("[server]\n'a\\nb' = 1\n\"c\\nd\" = 2", {}, "server.c\\nd: unknown key"),
    (
        "",
        {"APPLIANCE_SERVER__LISTN": "x"},
        "APPLIANCE_SERVER__LISTN: unknown variable; the nearest known is APPLIANCE_SERVER__LISTEN",
    ),
    ("", {"APPLIANCE_AI__APIKEY_FILE": "x"}, "the nearest known is APPLIANCE_AI__API_KEY_FILE"),
]


@pytest.mark.parametrize(("toml", "environ", "expected"), UNKNOWN)
def test_unknown_names_the_nearest(toml: str, environ: dict[str, str], expected: str, tmp_path: Path) -> None:
    """What nothing reads is a fault that names the nearest known section, key or variable, and never the value."""
    assert expected in "\n".join(faults(file(tmp_path, toml), environ))


@pytest.mark.parametrize("variable", ["APPLIANCE_CONFIG", "APPLIANCE_PORT_8080_TCP", "HOME", "PATH__X"])
def test_other_variables_are_not_ours(variable: str) -> None:
    """Variables without a section, such as those of Kubernetes, and those of others are no fault."""
    assert load(None, {variable: "x"}, serving=False) == Config()


def test_ten_faults_are_ten_lines(tmp_path: Path) -> None:
    """All faults of a file are said at once."""
    path = file(
        tmp_path,
        """
        [server]
        listen = "nowhere"
        public_url = "box"
        api_key = "short"
        [storage]
        directory = ""
        [twilio]
        account_sid = "AC1"
        timeout = "fast"
        [queue]
        engine = "redis"
        workers = 3
        [conversations]
        idle_after = "25h"
        [logs]
        level = "info"
        """,
    )

    assert sorted(re.split(r"[: ]", fault)[0] for fault in faults(path)) == [
        "conversations.idle_after",
        "logs",
        "queue.engine",
        "queue.workers",
        "server.api_key",
        "server.listen",
        "server.public_url",
        "storage.directory",
        "twilio.account_sid",
        "twilio.timeout",
    ]


def test_serving_requires_what_twilio_needs(tmp_path: Path) -> None:
    """To serve, the public address and Twilio's credentials must be there; an empty list of tokens is none."""
    found = faults(file(tmp_path, "[twilio]\nauth_tokens = []\n"), serving=True)

    assert [fault.partition(":")[0] for fault in found] == [
        "server.public_url",
        "twilio.account_sid",
        "twilio.auth_tokens",
    ]
    assert "APPLIANCE_TWILIO__AUTH_TOKENS" in found[2]
    assert str(tmp_path / "config.toml") in found[0]


def test_a_refused_value_is_not_also_missing() -> None:
    """A wrong account SID is one fault, not two."""
    (fault,) = faults(None, SERVE | {"TWILIO_ACCOUNT_SID": "AC1"}, serving=True)

    assert fault.startswith("twilio.account_sid = 'AC1' (from TWILIO_ACCOUNT_SID)")


def test_the_well_known_variables_suffice() -> None:
    """Twilio's own variables and the public address are all that serve needs."""
    config = load(None, SERVE, serving=True)

    assert config.twilio.account_sid == ACCOUNT
    assert config.twilio.auth_tokens == (TOKEN,)
    assert config.server.public_url == "https://answers.example.com"


OPENAI = [
    ({"OPENAI_API_KEY": LONG}, "", "https://api.openai.com/v1"),
    ({"OPENAI_API_KEY": LONG, "OPENAI_BASE_URL": "http://other/v1"}, "", "http://other/v1"),
    ({"OPENAI_API_KEY": LONG}, "base_url = 'http://mine/v1'", "http://mine/v1"),
    ({"OPENAI_BASE_URL": "http://other/v1"}, "", "http://other/v1"),
    ({"OPENAI_API_KEY": LONG}, "api_key = 'another'", None),
    ({"OPENAI_API_KEY": ""}, "", None),
]


@pytest.mark.parametrize(("environ", "toml", "base_url"), OPENAI)
def test_openai_s_variables(environ: dict[str, str], toml: str, base_url: str | None, tmp_path: Path) -> None:
    """OPENAI_API_KEY alone means OpenAI's address; no other key goes there unasked; the provider stays as it is."""
    config = load(file(tmp_path, f"[ai]\n{toml}\n"), environ, serving=False)

    assert config.ai.base_url == base_url
    assert config.ai.provider == "faq"


def test_precedence(tmp_path: Path) -> None:
    """Variable, secret file, credential, configuration file, well-known variable: the first that has the key wins."""
    secret_file = tmp_path / "tokens"
    secret_file.write_text("from-file\n\n  second \n")
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "twilio.auth_tokens").write_text("from-credential\n")
    path = file(tmp_path, "[twilio]\nauth_tokens = ['from-toml']\n")
    environ = {
        "APPLIANCE_TWILIO__AUTH_TOKENS": '["from-variable"]',
        "APPLIANCE_TWILIO__AUTH_TOKENS_FILE": str(secret_file),
        "CREDENTIALS_DIRECTORY": str(credentials),
        "TWILIO_AUTH_TOKEN": "from-twilio",
    }
    seen = [load(path, environ, serving=False).twilio.auth_tokens]
    for variable in list(environ)[:3]:
        del environ[variable]
        seen.append(load(path, environ, serving=False).twilio.auth_tokens)
    seen.append(load(None, environ, serving=False).twilio.auth_tokens)

    assert seen == [("from-variable",), ("from-file", "second"), ("from-credential",), ("from-toml",), ("from-twilio",)]


@pytest.mark.parametrize(("name", "toml_value", "expected"), ACCEPTED)
def test_every_key_has_a_variable(name: str, toml_value: str, expected: object) -> None:
    """A variable gives the same setting as the file: text as it is, numbers in digits, lists as JSON."""
    value = tomllib.loads(f"x = {toml_value}")["x"]
    variable = value if isinstance(value, str) else json.dumps(value)

    assert value_of(load(None, {variable_of(name): variable}, serving=False), name) == expected


@pytest.mark.parametrize(
    ("variable", "value", "shown"),
    [
        ("APPLIANCE_QUEUE__CONCURRENCY", "many", "'many'"),
        ("APPLIANCE_QUEUE__CONCURRENCY", "9" * 30, ""),
        ("APPLIANCE_SERVER__TRUSTED_PROXIES", "10.0.0.1, 10.0.0.2", "'10.0.0.1, 10.0.0.2'"),
        ("APPLIANCE_SERVER__TRUSTED_PROXIES", "\udcff", r"'\udcff'"),
        ("APPLIANCE_TWILIO__AUTH_TOKENS", "bare", "…"),
        ("APPLIANCE_LOG__LEVEL", "", "''"),
    ],
)
def test_a_wrong_variable_is_named(variable: str, value: str, shown: str) -> None:
    """A fault says that the value came from a variable, and which."""
    (fault,) = faults(None, {variable: value})

    assert f"= {shown}" in fault
    assert f"(from {variable})" in fault


UNREADABLE = [
    ("", "No such file"),
    ("[server]\nlisten = \n", "must be TOML: Invalid value (at line 2"),
    ("[server]\n[server]\n", "must be TOML: Cannot declare"),
    ("x = " + "9" * 5000, "must be TOML"),
]


@pytest.mark.parametrize(("toml", "expected"), UNREADABLE)
def test_a_file_that_cannot_be_read(toml: str, expected: str, tmp_path: Path) -> None:
    """A missing file or one that is not TOML is a fault with its name and line; faults elsewhere are said as well."""
    path = file(tmp_path, toml) if toml else tmp_path / "absent.toml"
    found = faults(path, {"APPLIANCE_LOG__LEVEL": "loud"}, serving=True)

    assert found[0].startswith(f"{path}: ")
    assert expected in found[0]
    assert [fault.split(" ")[0] for fault in found[1:]] == ["log.level"]


def test_a_file_must_be_text(tmp_path: Path) -> None:
    """A directory, and a file in another encoding, are faults; a byte order mark is none."""
    path = tmp_path / "config.toml"
    path.write_bytes(b"# caf\xe9")

    assert faults(path) == [f"{path}: must be UTF-8 text"]
    assert "Is a directory" in faults(tmp_path)[0]

    path.write_bytes(b"\xef\xbb\xbf[log]\nlevel = 'debug'\n")

    assert load(path, {}, serving=False).log.level == "debug"


def test_unreadable_secret_files(tmp_path: Path) -> None:
    """A secret file that cannot be read is a fault of its key, also when it is a credential; nothing else is said of it."""
    (tmp_path / "ai.api_key").write_bytes(b"\xff\xfe")
    environ = SERVE | {
        "APPLIANCE_TWILIO__AUTH_TOKENS_FILE": str(tmp_path / "absent"),
        "CREDENTIALS_DIRECTORY": str(tmp_path),
    }
    found = faults(None, environ, serving=True)

    assert len(found) == 2
    assert found[0].startswith(
        f"APPLIANCE_TWILIO__AUTH_TOKENS_FILE = {tmp_path}/absent: must be a readable file: No such"
    )
    assert found[1].startswith(f"credential ai.api_key = {tmp_path}/ai.api_key: must be a readable file: not UTF-8")


SECRETS = ["short-pw", TOKEN, LONG, "sk-proj-" + "a1B2" * 12]
PLACES = [
    "[server]\napi_key = '{} {}'",
    "[server]\nlisten = {{ api_key = '{}' }}\npublic_url = 'https://user:{}@host/'",
    "[server]\npublic_url = 'https://h/?token={}#{}'",
    "[twilio]\nauth_tokens = '{}'\nauth_token = '{}'",
    "[twilio]\nauth_tokens = ['{} ', '{}']",
    "[twilio]\nauth_tokens = [['{}'], '{}']",
    "[twilio]\napi_key_secret = ['{}', '{}']",
    "[ai]\napi_key = '{} '\nsecret = '{}'",
    "[ai]\nbase_url = 'http://x:{}@y/@{}@z'",
    "[ai]\nbase_url = 'http://x/?{}\\n{}'",
    "[alerts]\nurl = 'ntfy.sh/{}{}'",
    "[alerts]\nping_url = 'hc-ping.com/{}{}'",
    "[unknown]\nkey = '{}{}'",
    "key = '{}{}'",
    "[ai]\napi_key = '{}\n{}'",
    "[ai]\napi_key = {} {}",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_no_fault_shows_a_secret(place: str, secret: str, tmp_path: Path) -> None:
    """Whatever is wrong about a secret, its text is in no message."""
    assert secret not in "\n".join(faults(file(tmp_path, place.format(secret, secret))))


@pytest.mark.parametrize(
    "name", ["twilio.account_sid", "twilio.api_key_sid", "log.level", "ai.base_url", "server.listen"]
)
@pytest.mark.parametrize("secret", SECRETS[1:])
def test_a_secret_in_the_wrong_place_is_not_shown(name: str, secret: str) -> None:
    """A token swapped with an id is recognised by its form and stays hidden; so is one in place of a file's name."""
    assert secret not in "\n".join(faults(None, {variable_of(name): secret}))
    assert secret not in "\n".join(faults(None, {variable_of(name) + "_FILE": secret}))


def all_secrets(tmp_path: Path) -> Config:
    return load(
        file(
            tmp_path,
            f"""
            [server]
            api_key = "{LONG}"
            [twilio]
            auth_tokens = ["{TOKEN}", "{LONG}"]
            api_key_sid = "{API_KEY_SID}"
            api_key_secret = "{LONG}"
            [ai]
            api_key = "{LONG}"
            [alerts]
            url = "https://ntfy.sh/{LONG}"
            """,
        ),
        {},
        serving=False,
    )


def test_neither_repr_nor_the_redacted_form_shows_a_secret(tmp_path: Path) -> None:
    """Settings can be printed: secrets are hidden, and only whether they are set is told."""
    config = all_secrets(tmp_path)
    shown = redacted(config)
    text = repr(config) + str(config) + f"{config.twilio}{config.twilio.auth_tokens}{config.alerts}" + json.dumps(shown)

    assert LONG not in text
    assert TOKEN not in text
    assert config.server.api_key == LONG
    assert shown["server"]["api_key"] == "… (set)"
    assert shown["twilio"]["auth_tokens"] == "… (2 set)"
    assert shown["alerts"]["url"] == "… (set)"
    assert redacted(Config())["ai"]["api_key"] == "… (not set)"


def test_the_redacted_form_reads_like_the_file(tmp_path: Path) -> None:
    """Every key is shown in the text that the file accepts, so that reading it again gives the same settings."""
    config = load(EXAMPLE, {}, serving=False)
    shown = redacted(config)
    environ = {
        variable_of(f"{section}.{key}"): value if isinstance(value, str) else json.dumps(value)
        for section, table in shown.items()
        for key, value in table.items()
        if value is not None and not str(value).startswith("…")
    }

    assert [f"{section}.{key}" for section, table in shown.items() for key in table] == list(KEYS)
    assert load(None, environ, serving=False) == Config()


def test_a_relative_directory_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file's directory, however the file is named; from a variable, from where the process is started."""
    (tmp_path / "cwd").mkdir()
    path = file(tmp_path, "[storage]\ndirectory = './data'\n")
    variable = {"APPLIANCE_STORAGE__DIRECTORY": "data"}
    monkeypatch.chdir(tmp_path / "cwd")

    assert load(path, {}, serving=False).storage.directory == tmp_path / "data"
    assert load(path, variable, serving=False).storage.directory == tmp_path / "cwd" / "data"
    monkeypatch.chdir(tmp_path)
    assert load(Path("config.toml"), {}, serving=False).storage.directory == tmp_path / "data"


@pytest.mark.parametrize(
    ("length", "allowed"), [(107 - len("/control.sock"), True), (108 - len("/control.sock"), False)]
)
def test_the_control_socket_must_fit(length: int, allowed: bool, tmp_path: Path) -> None:
    """A directory is refused from the byte on at which its control socket could not be bound; é counts as two."""
    path = "/é" + "x" * (length - 3)

    if allowed:
        assert setting("storage.directory", f'"{path}"', tmp_path) == Path(path)
    else:
        assert "107 bytes" in faults(None, {"APPLIANCE_STORAGE__DIRECTORY": path})[0]


def test_a_relative_directory_must_fit_with_the_file_s(tmp_path: Path) -> None:
    """What counts is the whole path; the fault shows what was written."""
    (fault,) = faults(file(tmp_path, f"[storage]\ndirectory = '{'x' * 90}'\n"))

    assert fault.startswith("storage.directory = 'xxx")
    assert "107 bytes" in fault


def test_the_order_of_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file in force is --config, $APPLIANCE_CONFIG, ./config.toml, the system's, or none; a named one need not exist."""
    system = tmp_path / "etc.toml"
    monkeypatch.setattr(config_module, "DEFAULT_PATHS", (Path("config.toml"), system))
    monkeypatch.chdir(tmp_path)

    assert find(None, {}) is None
    system.write_text("")
    assert find(None, {}) == system
    local = file(tmp_path, "")
    assert find(None, {"APPLIANCE_CONFIG": ""}) == local
    assert find(None, {"APPLIANCE_CONFIG": "/named"}) == Path("/named")
    assert find(Path("absent.toml"), {"APPLIANCE_CONFIG": "/named"}) == Path("absent.toml")
    assert load(local, {}, serving=False).source == str(local)


def test_the_default_files() -> None:
    """The files that are looked for are the published ones."""
    assert [str(path) for path in config_module.DEFAULT_PATHS] == ["config.toml", "/etc/appliance/config.toml"]


def test_a_file_that_may_exist_is_not_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A default file that cannot even be looked at is in force, so that reading it says why."""
    loop = tmp_path / "config.toml"
    loop.symlink_to(loop)
    monkeypatch.chdir(tmp_path)

    assert find(None, {}) == loop
    assert "cannot be read" in faults(loop)[0]


def example_tables(text: str) -> dict[str, object]:
    return {f"{section}.{key}": value for section, table in tomllib.loads(text).items() for key, value in table.items()}


def test_the_example_is_complete_and_true() -> None:
    """The reference has every key; those that stand uncommented have the code's default, the others have none."""
    text = EXAMPLE.read_text("utf-8")
    everything = example_tables(re.sub(r"(?m)^#(?=\w+ = )", "", text))
    defaults = {name for name in KEYS if value_of(Config(), name) not in (None, "")}
    unset = {"twilio.auth_tokens"}

    assert list(everything) == list(KEYS)
    assert set(example_tables(text)) == defaults - unset
    assert load(EXAMPLE, {}, serving=False) == Config(source=str(EXAMPLE))


def test_the_example_s_commented_lines_are_valid_too(tmp_path: Path) -> None:
    """With every comment sign before a key removed the reference is a configuration that serves."""
    text = re.sub(r"(?m)^#(?=\w+ = )", "", EXAMPLE.read_text("utf-8"))
    config = load(file(tmp_path, text), {}, serving=True)

    assert config.server.metrics_listen == Address("127.0.0.1", 9090)


def test_the_example_says_why() -> None:
    """Each key of the reference has one line of comment before it."""
    lines = EXAMPLE.read_text("utf-8").splitlines()
    keys = [number for number, line in enumerate(lines) if re.match(r"#?\w+ = ", line)]

    assert len(keys) == len(KEYS)
    assert all(re.match(r"# [A-Z\"]", lines[number - 1]) for number in keys)


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("0", 0),
        ("1s", 1_000),
        ("60s", 60_000),
        ("90s", 90_000),
        ("15m", 900_000),
        ("1h", HOUR),
        ("24h", 24 * HOUR),
        ("7d", 7 * DAY),
    ],
)
def test_durations_both_ways(text: str, milliseconds: int) -> None:
    """The published forms are read, and shown as they were written."""
    assert parse_duration(text) == milliseconds
    assert format_duration(milliseconds) == text


@given(st.integers(0, 366 * 24 * 3600))
def test_any_duration_is_shown_exactly(seconds: int) -> None:
    """What is shown, read again, is the same duration."""
    assert parse_duration(format_duration(seconds * SECOND)) == seconds * SECOND
