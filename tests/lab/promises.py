"""What the laboratory shows: each promise with its test, the settings of its long form, and the names of its figures."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Promise:
    """`figures`: beginnings of the names that `record` was given. `settings`: what the long form sets for the test."""

    words: str
    test: str
    figures: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)


SIMULATION, FAULTS, MISSED = "tests/lab/test_simulation.py", "tests/lab/test_faults.py", "tests/lab/test_missed.py"
CLOCK, START, FULL = (f"tests/lab/faults/test_{name}.py" for name in ("clock", "start", "disk_full"))
POWER_CUT, RESTORE, ORDER = (f"tests/lab/test_{name}.py" for name in ("power_cut", "restore", "order"))
TROUBLE, ACCOUNTS = "tests/lab/test_trouble.py", "tests/lab/test_accounts.py"
POINTS = {"LAB_CRASH_POINTS": "1000000"}
IMAGES = {"LAB_IMAGES": "500000"}
KILLS = {"LAB_KILLS": "1000"}

# section → promises
PROMISES: dict[str, list[Promise]] = {
    "A crash at any place, in virtual time": [
        Promise(
            "A crash before or after any commit or HTTP step, and a second one in the recovery, loses nothing and repeats "
            "nothing",
            f"{SIMULATION}::test_a_crash_anywhere_loses_nothing_and_repeats_nothing",
            ("simulation",),
            POINTS,
        ),
        Promise(
            "The same for days that no table foresaw, with up to three crashes each",
            f"{SIMULATION}::test_crashes_of_recoveries_by_chance",
            ("simulation by chance",),
            POINTS,
        ),
        Promise(
            "One person with two addresses, of which it becomes known at any step that they are one, with a crash at each "
            "step: nothing lost, nothing twice, nobody spoken to who asked for silence by either",
            f"{SIMULATION}::test_one_person_with_two_addresses",
            ("one person, two addresses",),
            {"LAB_PERSONS": "50000"},
        ),
        Promise(
            "Negative controls: a product with one guard taken away is noticed, whichever guard it is",
            f"{SIMULATION}::test_each_broken_product_is_noticed",
            ("controls",),
        ),
        Promise(
            "Negative controls of the other tests: each fails, for its reason, on the product without its guard",
            "tests/test_controls.py",
            ("controls of the tests",),
        ),
    ],
    "A power cut": [
        Promise(
            "What was acknowledged survives it at any place, whole, and nothing is sent twice",
            f"{POWER_CUT}::test_nothing_is_lost_by_a_power_cut",
            ("power cut",),
            IMAGES,
        ),
        Promise(
            "Control: commits with synchronous=NORMAL lose acknowledged messages, and it is noticed",
            f"{POWER_CUT}::test_control_weak_commits_are_caught",
            ("control synchronous=NORMAL",),
        ),
        Promise(
            "Control: a POST before `sending` is on disk would be sent twice, and it is noticed",
            f"{POWER_CUT}::test_control_a_post_before_the_commit_is_caught",
            ("control sending not committed",),
        ),
    ],
    "The real process, killed with -9 or stopped": [
        Promise(
            "Before every system call of a message's way, and again in the start that follows: one answer each",
            "tests/lab/test_syscalls.py::test_killed_at_any_system_call_it_answers_once",
            ("system calls",),
            KILLS,
        ),
        Promise(
            "At random times, three a second, while customers write (a quarter of LAB_KILLS): one answer each, or the "
            "friendly text by its deadline, or a card where the sending itself was killed twice",
            "tests/test_kill.py::test_killed_again_and_again_under_load",
            ("kills under load",),
            KILLS,
        ),
        Promise(
            "At random times, half of them amid a send, while forty customers write on and Twilio resets, answers 500, 503, "
            "429 or half an answer to every fifth POST: nobody lost, nobody twice, one message in 200 left to the owner",
            f"{TROUBLE}::test_killed_again_and_again_while_twilio_is_in_trouble",
            ("kills in trouble",),
            {"LAB_TROUBLE": "60"},
        ),
        Promise(
            "Control: a doubt that is sent again on a timer answers somebody twice there, and it is noticed",
            f"{TROUBLE}::test_control_a_doubt_that_is_sent_again_on_a_timer_is_caught",
            ("control trouble",),
        ),
        Promise(
            "Told to stop under load (SIGTERM) it ends in time and loses nothing",
            f"{FAULTS}::test_told_to_stop_under_load_it_loses_nothing",
            ("stopped under load",),
        ),
        Promise(
            "After a kill with 10,000 waiting messages it takes webhooks again within seconds",
            f"{START}::test_it_is_ready_soon_after_a_kill_with_ten_thousand_jobs",
            ("start with 10,000 jobs",),
        ),
    ],
    "Disks, files and clocks that fail": [
        Promise(
            "No webhook hears 200 before the commit of its message is synced, as a trace of the system calls shows",
            f"{FAULTS}::test_no_answer_is_written_before_its_commit_is_synced",
            ("trace",),
        ),
        Promise(
            "EIO on a write or a sync: no 200 without durability, a clean end, a clean start",
            f"{FAULTS}::test_an_input_output_error_ends_the_process_and_loses_nothing",
            ("input/output errors",),
            {"LAB_FAULTS": "10"},
        ),
        Promise(
            "ENOSPC on every write: 503 at once, everything else answers, it goes on by itself",
            f"{FAULTS}::test_no_space_for_a_write_refuses_webhooks_until_there_is_some",
            ("no space",),
        ),
        Promise(
            "The same on a small disk filled to its last byte, while it runs and before the start",
            FULL,
            ("disk of",),
            {"LAB_FAULTS": "10"},
        ),
        Promise(
            "EMFILE: out of file descriptors it serves again",
            f"{FAULTS}::test_out_of_file_descriptors_it_serves_again",
            ("no file descriptors",),
        ),
        Promise(
            "A sync that takes 20 ms, 100 ms or once 10 s: webhooks are in time for Twilio (15 s)",
            f"{FAULTS}::test_a_slow_disk_slows_nothing_else",
            ("sync takes",),
            {"LAB_STALL": "10"},
        ),
        Promise(
            "A damaged database: webhooks hear 503, nothing is overwritten, no crash loop",
            f"{START}::test_a_damaged_database_keeps_the_process_up_and_webhooks_refused",
            ("damaged database",),
        ),
        Promise(
            "The clock jumps back an hour or forward a day: one answer each, and the sweeps go on",
            f"{CLOCK}::test_the_clock_jumps_while_it_runs",
            ("clock jumps",),
            {"LAB_SWEEPS": "1"},
        ),
        Promise(
            "A start in 1970 takes messages and answers once the clock is set",
            f"{CLOCK}::test_a_start_in_1970_waits_for_the_time",
            ("start in 1970",),
        ),
    ],
    "Missed, repeated and out of order": [
        Promise(
            "100 contacts who wrote 5 messages each while the box was off: each message gets what it should",
            f"{MISSED}::test_a_hundred_contacts_while_the_box_was_off",
            ("missed",),
        ),
        Promise(
            "Each message delivered ten times, at once and over a restart: as many answers as messages",
            f"{MISSED}::test_every_message_delivered_ten_times",
            ("deliveries",),
            {"LAB_DELIVERIES": "100000"},
        ),
        Promise(
            "Whatever the model's delays: the answers of a conversation come in order, each question once; and the products "
            "without that are noticed",
            ORDER,
            ("order",),
            {"LAB_ORDER": "100"},
        ),
    ],
    "Sends whose outcome is unknown": [
        Promise(
            "Every shape of a send with a crash at each step, callbacks arriving or lost, Twilio's list up to 150 s behind: "
            "sent once, or a card",
            f"{SIMULATION}::test_a_list_that_is_late_within_the_grace_doubles_nothing",
            ("ambiguous",),
            POINTS,
        ),
        Promise(
            "Days in which Twilio answers every POST with a 5xx for 16 s to 2 h, and takes none, half or all of them, with "
            "one crash each: one answer each",
            f"{SIMULATION}::test_days_with_an_incident",
            ("days with an incident", "doubt, an incident a day"),
            POINTS,
        ),
        Promise(
            "Two accounts that share a number, one of them hurt, with crashes anywhere: one answer each, by its own account",
            f"{ACCOUNTS}::test_a_crash_anywhere_with_two_accounts",
            ("two accounts",),
            {"LAB_ACCOUNTS": "50000"},
        ),
        Promise(
            "Days of two accounts with an incident at one of them and one crash each: one answer each, by its own account",
            f"{ACCOUNTS}::test_days_with_two_accounts",
            ("days with two accounts",),
            {"LAB_ACCOUNTS": "50000"},
        ),
        Promise(
            "A doubt is settled within four graces and a minute (99th percentile, virtual), and in days with one crash each "
            "less than one answer of a thousand ends as a card",
            f"{SIMULATION}::test_doubt_is_settled_soon_and_seldom_by_a_person",
            ("doubt, a crash a day",),
            POINTS,
        ),
        Promise(
            "The same where faults are far more frequent than in life, and cards with them",
            f"{SIMULATION}::test_crashes_of_recoveries_by_chance",
            ("doubt, every fault",),
            POINTS,
        ),
        Promise(
            "What is left: runs in which a customer got a message twice, where Twilio's list lags by up to 12 graces in each "
            "of five ways, by the rule of before and by today's, and the waiting that is paid; up to 2 graces none "
            "([RESIDUAL.md](RESIDUAL.md) has every row)",
            f"{SIMULATION}::test_a_list_that_is_later_than_the_grace_doubles_some",
            ("residual",),
            POINTS,
        ),
    ],
    "Restored from a backup": [
        Promise(
            "An hour-old copy, taken under load, against a Twilio that saw the hour: nobody is answered twice or not at all",
            f"{RESTORE}::test_an_hour_old_copy_answers_nobody_twice",
            ("restore",),
        ),
        Promise(
            "Control: a copy that is trusted answers twice, and it is noticed",
            f"{RESTORE}::test_control_a_copy_that_is_trusted_answers_twice",
            ("control restored copy trusted",),
        ),
        Promise(
            "A restoration that is killed at any place has not happened, or is whole",
            "tests/lab/faults/test_restoration.py",
            ("interrupted restorations",),
        ),
    ],
}
ALL = [promise for promises in PROMISES.values() for promise in promises]

# The guards that the laboratory was asked to take away; both lists of controls call them so.
GUARDS = (
    "synchronous=NORMAL",
    "acknowledge before commit",
    "SELECT-then-INSERT",
    "no unique sid",
    "blind retry on timeout",
    "doubt resent on a timer",
    "`sending` not committed before the POST",
    "callback ignored",
    "checks outside the `sending` unit",
    "rescue by time",
    "watermark moved to the end of a pass",
    "savepoint rollback that ignores in_transaction",
    "result written without WHERE state='sending'",
    "restored outbox sent at once",
)
ALSO = {  # tests of their own
    "doubt resent on a timer": f"{TROUBLE}::test_control_a_doubt_that_is_sent_again_on_a_timer_is_caught",
    "synchronous=NORMAL": f"{POWER_CUT}::test_control_weak_commits_are_caught",
    "`sending` not committed before the POST": f"{POWER_CUT}::test_control_a_post_before_the_commit_is_caught",
    "restored outbox sent at once": f"{RESTORE}::test_control_a_copy_that_is_trusted_answers_twice",
}
