"""Every reason that the product can give is known to the translations."""

from pathlib import Path

from appliance.inbox import refused
from appliance.notices import reasons
from appliance.notices.reasons import AI, ANSWERS, CHANGES, CUSTOMERS, LINKS, OURS, REFUSED, WAITS
from appliance.store import backup
from appliance.twilio import codes
from appliance.wire import Fault
from tests.notices.call_sites import found

PACKAGE = Path(reasons.__file__).parents[1]


def test_the_list_of_reasons_is_what_the_code_says() -> None:
    """Each reason that is written anywhere is in the list, each in the list is written somewhere, all are constants."""
    sites = found(PACKAGE)

    assert sites.unclear == []
    known = set(CUSTOMERS + ANSWERS + LINKS + AI + OURS + WAITS + REFUSED)
    assert sites.reasons | set(Fault) | {backup.NO_SPACE} == known


def test_what_to_change_where_webhooks_are_refused_is_known() -> None:
    """Each constant of its own."""
    named = ("UNSIGNED", "UNKNOWN", "URL", "URL_OR_CONSOLE", "CONSOLE", "STRIP", "METHOD", "OTHERS", "OTHERS_OR_PARENT")
    assert {getattr(refused, name) for name in named} == set(CHANGES)


def test_every_code_of_twilios_has_its_words() -> None:
    """What is said of a known code, of an unknown one, and of none."""
    assert {codes.words(code) for code in (*codes.WORDS, None, -1)} == set(reasons.TWILIO)


def test_a_reason_that_nobody_can_translate_is_found(tmp_path: Path) -> None:
    """Control: a sentence put together where it is passed, and one that comes from nowhere; words in parentheses may."""
    (tmp_path / "outbox").mkdir()
    (tmp_path / "outbox" / "bad.py").write_text(
        'LATE = "late"\n'
        "def f(tx, row, n, other):\n"
        '    park(tx, row, f"{n} too many")\n'
        "    doubt(tx, row, other.words)\n"
        '    strand(tx, 1, f"it broke ({n})")\n'
        '    wait(tx, why="asks" if n else LATE)\n'
    )

    sites = found(tmp_path)

    assert sites.reasons == {"it broke", "asks", "late"}
    assert sorted(sites.unclear) == ["outbox/bad.py:3 f'{n} too many'", "outbox/bad.py:4 other.words"]
