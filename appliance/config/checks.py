"""What the settings must be together: which need each other, which must not pass each other."""

from collections.abc import Collection, Iterator

from appliance.config.accounts import Fault, needed, together
from appliance.config.durations import format_duration
from appliance.config.sections import NO_FILE, Config
from appliance.config.sources import variable_of

PUBLIC_URL = "the https:// address at which Twilio reaches this appliance"


def missing(config: Config) -> Iterator[Fault]:
    """A fault for each key that `serve` needs and nobody set."""
    file = "a configuration file" if config.source == NO_FILE else config.source
    public_url = () if config.server.public_url else [("server.public_url", PUBLIC_URL)]
    for name, meaning in [*public_url, *needed(config)]:
        yield (name,), f"{name}: not set; serve needs it: {meaning}. Set it in {file} or as {variable_of(name)}"


def contradictions(config: Config, given: Collection[str]) -> Iterator[Fault]:
    """All that does not go together. `given`: the keys that somebody set; the others have their defaults."""
    keys = ("server.listen", "server.metrics_listen")
    address = config.server.metrics_listen
    if address == config.server.listen and address.port != 0:
        yield keys, f"{keys[1]} = {address}: must be another address than {keys[0]}"
    yield from together(config)
    why = "not set, but ai.provider = llm needs it"
    if config.ai.provider == "llm" and config.ai.base_url is None:
        where = "https://api.openai.com/v1, or of a local server http://127.0.0.1:11434/v1"
        yield (
            ("ai.provider", "ai.base_url"),
            f"ai.base_url: {why}: the address above /chat/completions, such as {where}",
        )
    if config.ai.provider == "llm" and config.ai.model is None:
        yield ("ai.provider", "ai.model"), f"ai.model: {why}: the model's name as the provider writes it"
    doubt = ("twilio.timeout", "twilio.doubt_grace")
    if config.twilio.timeout >= config.twilio.doubt_grace:
        yield doubt, _too_long(doubt, (config.twilio.timeout, config.twilio.doubt_grace), "shorter than", given)
    talk = config.conversations
    delay = ("conversations.reply_delay", "conversations.reply_delay_max")
    if talk.reply_delay > talk.reply_delay_max:
        yield delay, _too_long(delay, (talk.reply_delay, talk.reply_delay_max), "at most", given)
    ends = ("conversations.idle_after", "conversations.expire_after")
    if talk.idle_after >= talk.expire_after:
        yield ends, _too_long(ends, (talk.idle_after, talk.expire_after), "shorter than", given)


def _too_long(keys: tuple[str, str], values: tuple[int, int], relation: str, given: Collection[str]) -> str:
    """Names both keys, and says of the one that nobody set that it has its default and must be set as well."""
    short, long = (
        f"{key} = {format_duration(value)}{'' if key in given else ' (the default)'}"
        for key, value in zip(keys, values, strict=True)
    )
    default = [key for key in keys if key not in given]
    return f"{short}: must be {relation} {long}" + (f"; set {default[0]} as well" if default else "")
