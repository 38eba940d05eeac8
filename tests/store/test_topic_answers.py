"""How often each topic answered: by the organization's own days, kept when a topic gets another name."""

from pathlib import Path

from appliance.model import Organization
from appliance.store import Store
from tests.support.world import ManualClock

LATE = 1_800_068_340_000  # 2027-01-15 23:59 in São Paulo, the next day in London and Auckland
SHOP = Organization(1, "Padaria", "pt-BR", "America/Sao_Paulo")
AUCKLAND = Organization(2, "Bakery", "en", "Pacific/Auckland")


async def test_days_are_the_organizations(tmp_path: Path) -> None:
    """Midnight is where the shop is; a week is today and the six days before."""
    clock = ManualClock(LATE)
    store = await Store.open(tmp_path, clock)
    try:
        for organization in (SHOP, AUCKLAND):
            await store.write(
                lambda tx, it=organization: tx.sql.run(  # type: ignore[misc]
                    "INSERT INTO organizations (id, name, language, timezone, created_at) VALUES (?, ?, ?, ?, 0)",
                    it.id, it.name, it.language, it.timezone,
                )
            )  # fmt: skip
            await store.write(lambda tx, it=organization: tx.topic_answers.count(it, ["Horário"]))  # type: ignore[misc]
        clock.jump(120)
        await store.write(lambda tx: tx.topic_answers.count(SHOP, ["Horário", "Entrega"]))
        days = await store.read(
            lambda tx: tx.sql.all("SELECT * FROM topic_answers ORDER BY organization_id, day, title")
        )
        assert [tuple(row) for row in days] == [
            (1, "Horário", "2027-01-15", 1), (1, "Entrega", "2027-01-16", 1), (1, "Horário", "2027-01-16", 1),
            (2, "Horário", "2027-01-16", 1),
        ]  # fmt: skip
        assert await store.read(lambda tx: tx.topic_answers.of_the_week(SHOP)) == {"Horário": 2, "Entrega": 1}
        clock.jump(6 * 24 * 3_600 - 60)
        assert await store.read(lambda tx: tx.topic_answers.of_the_week(SHOP)) == {"Horário": 1, "Entrega": 1}
        clock.jump(24 * 3_600)
        assert await store.read(lambda tx: tx.topic_answers.of_the_week(SHOP)) == {}
    finally:
        await store.close()


async def test_another_name_keeps_what_was_answered(tmp_path: Path) -> None:
    """Also where the new name had answered before, and whatever its case."""
    store = await Store.open(tmp_path, ManualClock(LATE))
    try:
        await store.write(
            lambda tx: tx.sql.run(
                "INSERT INTO organizations (id, name, language, timezone, created_at) VALUES (1, 'P', 'en', 'UTC', 0)"
            )
        )
        await store.write(lambda tx: tx.topic_answers.count(SHOP, ["Hours", "Hours", "Open"]))
        await store.write(lambda tx: tx.topic_answers.rename(1, "Hours", "Open"))
        assert await store.read(lambda tx: tx.topic_answers.of_the_week(SHOP)) == {"Open": 3}
        await store.write(lambda tx: tx.topic_answers.rename(1, "Open", "OPEN"))
        assert await store.read(lambda tx: tx.topic_answers.of_the_week(SHOP)) == {"OPEN": 3}
    finally:
        await store.close()
