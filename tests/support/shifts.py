"""How the suite is shared out when files run side by side: what takes longest starts first, so that nobody waits at the end.

A file is one shift, as its tests may share what one of them counted; a test that takes as long as a file is a shift too.
"""

LONGEST = (  # beginnings of test ids, longest first; what is not named follows as it is collected
    "tests/lab/test_power_cut.py::test_nothing_is_lost_by_a_power_cut",
    "tests/lab/test_simulation.py::test_a_crash_anywhere_loses_nothing_and_repeats_nothing",
    "tests/test_demo.py",
    "tests/simulator/test_phone_page.py",
    "tests/web/pages/test_states.py",
    "tests/lab/test_syscalls.py",
    "tests/web/pages/test_hostile_browser.py",
    "tests/lab/test_trouble.py",
    "tests/lab/test_forget.py",
    "tests/lab/test_simulation.py",
    "tests/lab/test_missed.py",
    "tests/lab/test_order.py",
    "tests/reply/test_ai_faults.py",
    "tests/lab/test_restore.py",
    "tests/lab/test_faults.py",
    "tests/test_kill.py",
    "tests/lab/faults/test_start.py",
    "tests/test_clock.py",
    "tests/cli/test_cli_serve.py",
    "tests/queue/test_outage.py",
    "tests/store/test_backup.py",
    "tests/queue/test_schedule.py",
)


def rank(test: str) -> int:
    """The place of the longest beginning that names the test."""
    named = [place for place, begin in enumerate(LONGEST) if test.startswith(begin)]
    return max(named, key=lambda place: len(LONGEST[place]), default=len(LONGEST))


def shift(test: str) -> str:
    place = rank(test)
    return LONGEST[place] if place < len(LONGEST) else test.partition("::")[0]
