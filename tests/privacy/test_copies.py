"""Copies of the database remember whom the box has forgotten: put back, they forget again before they serve."""

import os
import shutil
from pathlib import Path

from appliance.model import HOUR
from appliance.opening import restore
from appliance.operations import verification
from appliance.simulator import Fault
from appliance.store import Store, backup, keyed
from appliance.store.box import Fact
from appliance.store.database import FILE_NAME
from tests.outbox.scene import NOON, pass_
from tests.privacy.scene import NAME, WORDS, catch_up, forget, forgotten, live, states, traces
from tests.support.world import CUSTOMER, World

MINUTE = 60.0
QUESTION = "Qual o horário?"
OTHER = "+5511977776666"
SOUGHT = [CUSTOMER.removeprefix("+"), NAME, *WORDS]


def copy_of(world: World) -> Path:
    assert world.clock is not None
    return backup.keep_one(world.appliance.store.directory, world.clock.now())


async def put_back(world: World, copy: Path) -> None:
    """Restore and look before anything is served."""
    assert world.clock is not None
    store = await restore(world.config, world.clock, copy)
    await store.close()


async def test_a_restored_copy_forgets_again_before_it_serves(clockwork: World) -> None:
    """Whoever is on the list beside the database is emptied while it is opened; the other customers' words stay."""
    directory = clockwork.appliance.store.directory
    await live(clockwork)
    await clockwork.say(QUESTION, OTHER)
    await pass_(clockwork, MINUTE)
    copy = copy_of(clockwork)
    await forget(clockwork)
    await pass_(clockwork, MINUTE)
    await clockwork.stop()

    await put_back(clockwork, copy)

    aside = {path.name for path in directory.glob("*.aside-*")} | {copy.name}
    assert set(traces(directory, SOUGHT)) <= aside
    assert set(traces(directory, [OTHER])) - aside == {FILE_NAME}
    await clockwork.start()
    await pass_(clockwork, 15 * MINUTE)
    assert await states(clockwork) == ["done"]
    assert len(clockwork.sent()) == 3
    assert await clockwork.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", OTHER]
    assert (await clockwork.appliance.store.inspect(verification.verify)).problems == []


async def test_a_file_that_somebody_swapped_forgets_as_well(clockwork: World) -> None:
    """Also without `restore`: every opening looks at the list."""
    directory = clockwork.appliance.store.directory
    await live(clockwork)
    copy = copy_of(clockwork)
    await forget(clockwork)
    await pass_(clockwork, MINUTE)
    await clockwork.stop()
    shutil.copyfile(copy, directory / FILE_NAME)
    copy.unlink()

    assert clockwork.clock is not None
    await (await Store.open(directory, clockwork.clock)).close()

    assert traces(directory, SOUGHT) == {}


async def test_who_wrote_again_is_kept(clockwork: World) -> None:
    """Forgotten, back as somebody new, and the copy knows both: only what is from before goes."""
    await live(clockwork)
    await forget(clockwork)
    await pass_(clockwork, MINUTE)
    await clockwork.say(f"{QUESTION} outra vez")
    await pass_(clockwork, MINUTE)
    copy = copy_of(clockwork)
    await clockwork.stop()

    await put_back(clockwork, copy)
    await clockwork.start()
    await pass_(clockwork, 15 * MINUTE)

    assert await clockwork.column("SELECT address FROM contacts ORDER BY id") == ["forgotten:1", CUSTOMER]
    assert await clockwork.column("SELECT body FROM messages WHERE body <> ''") == [f"{QUESTION} outra vez"]


async def test_a_copy_from_before_learns_what_came_after(clockwork: World) -> None:
    """Forgotten again; what the person wrote since is fetched from Twilio's log, what was written before is not."""
    await live(clockwork)
    copy = copy_of(clockwork)
    await forget(clockwork)
    await pass_(clockwork, MINUTE)
    await clockwork.say(f"{QUESTION} outra vez")
    await pass_(clockwork, MINUTE)
    said = clockwork.sent()
    await clockwork.stop()

    await put_back(clockwork, copy)
    await clockwork.start()
    await pass_(clockwork, 15 * MINUTE)
    await catch_up(clockwork)

    assert clockwork.sent() == said
    assert await clockwork.column("SELECT body FROM messages WHERE body <> ''") == [f"{QUESTION} outra vez"]
    assert traces(clockwork.appliance.store.path.parent, [f"isto: {WORDS[2]}"]).keys() <= {
        *(path.name for path in clockwork.appliance.store.directory.glob("*.aside-*")),
        copy.name,
    }


async def test_what_was_unsent_in_the_copy_is_not_sent(clockwork: World) -> None:
    """The copy has a draft for somebody who was forgotten since."""
    clockwork.twilio.faults.add(Fault("create", "error", status=429, code=20429, times=None))
    await clockwork.say(QUESTION)
    await pass_(clockwork, 1)
    copy = copy_of(clockwork)
    await forget(clockwork)
    await pass_(clockwork, 5 * MINUTE)
    assert await states(clockwork) == ["done"]
    await clockwork.stop()
    clockwork.twilio.faults.clear()

    await put_back(clockwork, copy)
    await clockwork.start()
    await pass_(clockwork, 20 * MINUTE)

    assert clockwork.sent() == []
    assert await clockwork.cards() == []
    assert await clockwork.dispositions() == ["suppressed"]


async def test_the_wish_for_no_messages_is_in_the_copy_too(clockwork: World) -> None:
    """Opted out after the copy was taken, then forgotten: the list tells the copy."""
    await live(clockwork)
    copy = copy_of(clockwork)
    await clockwork.say("SAIR")
    await pass_(clockwork, MINUTE)
    await forget(clockwork)
    await pass_(clockwork, MINUTE)
    await clockwork.stop()

    await put_back(clockwork, copy)
    await clockwork.start()
    await pass_(clockwork, 15 * MINUTE)
    said = len(clockwork.sent())
    await clockwork.say(QUESTION)
    await pass_(clockwork, MINUTE)

    assert len(clockwork.sent()) == said
    assert await clockwork.column("SELECT suppressed FROM messages ORDER BY id DESC LIMIT 1") == ["opted out"]


async def test_each_copy_is_listed_with_its_last_day(clockwork: World) -> None:
    """Three backups from before and one from after; seven are kept, so the newest that knows goes in seven days."""
    directory = clockwork.appliance.store.directory
    await live(clockwork)
    await pass_(clockwork, 61 * MINUTE)
    for path in (directory / "backups").glob("*.db"):
        path.unlink()
    before = [copy_of(clockwork)]
    for _ in range(2):
        await pass_(clockwork, MINUTE)
        before.append(copy_of(clockwork))
    aside = directory / f"{FILE_NAME}.aside-1"
    shutil.copyfile(before[0], aside)
    os.utime(aside, (NOON / 1_000, NOON / 1_000))
    await clockwork.appliance.store.write(lambda tx: tx.box.put(Fact.BACKUP_AT, tx.now))
    assert clockwork.clock is not None
    taken = clockwork.clock.now()
    await pass_(clockwork, MINUTE)
    await forget(clockwork)
    await pass_(clockwork, MINUTE)
    after = copy_of(clockwork)

    [told] = await forgotten(clockwork)

    goes = {Path(copy["file"]).name: copy["goes_at"] for copy in told["copies"]}
    assert goes.pop(aside.name) is None  # it stays until somebody deletes it
    assert after.name not in goes
    days = [round((goes[path.name] - taken) / (24 * HOUR)) for path in before]
    assert days == [4, 5, 6]


def test_a_torn_line_of_the_list_is_none(tmp_path: Path) -> None:
    """A power cut while the list was written: what it announced had not begun, and the next entry is whole."""
    one, two = keyed.Entry(b"1" * 32, 5, None), keyed.Entry(b"2" * 32, 6, 3)
    keyed.append(tmp_path, [one])
    whole = (tmp_path / keyed.LIST).read_bytes()
    (tmp_path / keyed.LIST).write_bytes(whole + whole[:20])

    assert keyed.listed(tmp_path) == {one.who: one}
    keyed.append(tmp_path, [two])

    assert keyed.listed(tmp_path) == {one.who: one, two.who: two}
    assert (tmp_path / keyed.LIST).stat().st_mode & 0o777 == 0o600


def test_the_key_is_made_once(tmp_path: Path) -> None:
    """Private, whole, and the same from then on; the same address has another hash on another channel."""
    key = keyed.make_key(tmp_path)

    assert keyed.make_key(tmp_path) == keyed.key_of(tmp_path) == key
    assert (tmp_path / keyed.KEY).stat().st_mode & 0o777 == 0o600
    assert keyed.keyed(key, 1, CUSTOMER) != keyed.keyed(key, 2, CUSTOMER)
