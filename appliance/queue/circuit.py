"""Whether a resource (the AI provider, a channel or the account at Twilio) may be used now. Pure.

All times are milliseconds of a *monotonic* clock, handed in. A clock that steps back all the same keeps a circuit open
for at most one more wait.
"""

from appliance.model import HOUR, MINUTE, SECOND

LONGEST = 25 * HOUR  # whatever a provider asks for; a daily limit lasts until the next day
ACCOUNT = "account"  # each at Twilio has one; a channel's circuit bears its resource's name
DOUBT = "doubt"  # the account once more: POSTs end without a clear answer
AI = "ai"  # the provider, whichever organization asks it
AI_LIMIT = "ai-limit"  # the provider asked to be left alone


def access_of(account: str) -> str:
    """The circuit's name: whether an account may send at all."""
    return f"{ACCOUNT}:{account}"


def doubt_of(account: str) -> str:
    return f"{DOUBT}:{account}"


class Circuit:
    """One resource: closed (in use), open (left alone), or open and due (one caller at a time may probe)."""

    def __init__(self, threshold: int, first_wait: int, max_wait: int) -> None:
        """Open after `threshold` failures in a row; wait `first_wait` ms, doubling to `max_wait` per failed probe."""
        self._threshold = threshold
        self._first_wait = first_wait
        self._max_wait = max_wait
        self.succeeded()

    def succeeded(self) -> None:
        """The resource answered: close, and forget all failures."""
        self._failures = 0
        self._backoff = 0  # 0 while closed
        self._wait = 0
        self._until = 0
        self._probing = False

    def failed(self, now: int, retry_after_ms: int | None = None) -> None:
        """A use failed in a way that counts towards the threshold."""
        self._failures += 1
        if self._backoff or self._failures >= self._threshold:
            self.parked(now, retry_after_ms)

    def parked(self, now: int, retry_after_ms: int | None = None) -> None:
        """A use showed that nothing else would work either: open at once.

        Calls that were under way when the circuit opened also fail; they lengthen the wait by Retry-After only.
        """
        if self._probing or not self._backoff:
            self._backoff = min(self._backoff * 2 or self._first_wait, self._max_wait)
            self._probing = False
            wait = self._backoff
        else:
            wait = self._remaining(now)
        self._wait = min(max(wait, retry_after_ms or 0), LONGEST)
        self._until = now + self._wait

    def open_until(self, now: int) -> int | None:
        """When it is worth asking again (never before `now`), or None while closed."""
        if not self._backoff:
            return None
        return now + (self._backoff if self._probing else self._remaining(now))

    def try_enter(self, now: int) -> bool:
        """Whether the resource may be used now. A probe must end in succeeded(), failed(), parked() or abandon()."""
        if not self._backoff:
            return True
        if self._probing or self._remaining(now):
            return False
        self._probing = True
        return True

    def abandon(self) -> None:
        """The probe ended without saying anything about the resource: the next caller may probe."""
        self._probing = False

    def _remaining(self, now: int) -> int:
        self._until = min(self._until, now + self._wait)
        return max(self._until - now, 0)


class Circuits:
    """The circuits of one process by name: `ai`, `ai-limit`, `account:<name>`, `doubt:<name>`, `channel:<id>`, …"""

    def __init__(self) -> None:
        self._circuits: dict[str, Circuit] = {}

    def get(self, name: str) -> Circuit:
        """The circuit of a resource, closed when first asked for."""
        if name not in self._circuits:
            self._circuits[name] = _new(name)
        return self._circuits[name]


def _new(name: str) -> Circuit:
    if name == AI:  # three failures in a row open it, then one probe a minute
        return Circuit(3, MINUTE, MINUTE)
    if name.partition(":")[0] == DOUBT:
        return Circuit(1, 5 * SECOND, 2 * MINUTE)
    return Circuit(1, SECOND // 10, 30 * SECOND)  # Twilio's advice for 20429
