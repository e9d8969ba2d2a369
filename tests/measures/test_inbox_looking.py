"""Where the inbox looks: along the indexes of what waits, and not at all where nothing can wait."""

from typing import Any

import asyncpg
import pytest

from builders import call_of
from common.roles import ROLES, Over
from keeping import keep_an_item
from measures.inbox import waiting
from measures.inbox.store import waiting_for
from measures.inbox.waiting import Noun
from servers import Database

COPIES = """
INSERT INTO item
SELECT (jsonb_populate_record(item, jsonb_build_object(
    'id', gen_random_uuid(), 'code', 'A1-' || lpad(n::text, 6, '0'), 'measure', 'A' || n % 15,
    'owner', md5('unit' || n % 60)::uuid, 'co_units', '{}'::uuid[], 'due_on', date '2022-01-01' + n % 1800,
    'state', (ARRAY['assigned', 'reported-done', 'in-progress', 'verified-closed'])[1 + n % 4]))).*
FROM item, generate_series(1, $2) n WHERE item.id = $1
"""
"""Items of one plan, like the one that is there, of which some wait for the office."""


async def test_items_are_looked_for_along_the_indexes_of_what_waits(
    database: Database, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await asyncpg.connect(database.owner_url)
    await owner.execute(COPIES, await keep_an_item(pool), 3000)
    await owner.execute("ANALYZE item")
    await owner.close()
    ways: list[str] = []
    fetch = asyncpg.Pool.fetch

    async def explain(pool: asyncpg.Pool, sql: str, *values: Any) -> list[Any]:
        ways.append("\n".join(row[0] for row in await fetch(pool, f"EXPLAIN {sql}", *values)))
        return []

    monkeypatch.setattr(asyncpg.Pool, "fetch", explain)
    monkeypatch.setattr(waiting, "WAITING", tuple(kind for kind in waiting.WAITING if kind.noun is Noun.ITEM))
    await waiting_for(call_of(pool, role="reform-office"), after=None, limit=50)
    await waiting_for(call_of(pool, role="unit-reporter", unit="YB"), after=None, limit=50)
    await waiting_for(call_of(pool, role="measure-lead", unit="ORG"), after=None, limit=50)
    of_office, of_owner, of_judge = ways
    assert "Index Scan using ix_item_due_on_id" in of_office, of_office
    assert "Sort Key: found" not in of_office, of_office
    assert "Index Scan using ix_item_owner_due_on_id" in of_owner, of_owner
    assert "Sort Key: found" not in of_owner, of_owner
    assert "Seq Scan on item" not in of_judge, of_judge
    assert "Bitmap Index Scan on ix_item_co_units" in of_judge, of_judge
    assert "Bitmap Index Scan on ix_item_owner" in of_judge, of_judge


async def test_no_index_of_items_asks_of_what_their_steps_write(pool: asyncpg.Pool) -> None:
    """Else a milestone's report would write all of them anew, and not the row alone (``HOT``)."""
    asked = await pool.fetch(
        "SELECT DISTINCT attname FROM pg_depend JOIN pg_class ON pg_class.oid = objid AND relkind = 'i' "
        "JOIN pg_attribute ON attrelid = refobjid AND attnum = refobjsubid WHERE refobjid = 'item'::regclass"
    )
    columns = {row["attname"] for row in asked}
    assert {"state", "due_on", "owner"} <= columns
    assert columns.isdisjoint({"version", "recorded_at", "milestones", "schedule", "note", "doubts", "reminded_on"})


JUDGES_STEPS = {
    "item.return", "item.close", "milestone.verify", "milestone.return", "evidence.verify", "evidence.reject",
}  # fmt: skip


async def test_who_has_nobody_below_looks_for_nothing_to_judge(
    pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody judges what concerns their own unit: so among 100,000 documents nothing has to be looked for."""
    asked: list[str] = []

    async def listen(_: asyncpg.Pool, sql: str, *_values: Any) -> list[Any]:
        asked.append(sql)
        return []

    monkeypatch.setattr(asyncpg.Pool, "fetch", listen)
    judged = tuple(kind for kind in waiting.WAITING if kind.noun in {Noun.EVIDENCE, Noun.ITEM})
    monkeypatch.setattr(waiting, "WAITING", judged)
    for unit, looks in (("YB", 0), ("ORG", 2), ("CQ", 4)):
        await waiting_for(call_of(pool, role="measure-lead", unit=unit), after=None, limit=50)
        assert len(asked) == looks


def test_who_holds_such_a_step_over_less_than_all_is_a_judge() -> None:
    """Else something of their own unit's would wait for them, and would not be looked for."""
    for kind in waiting.WAITING:
        looked_for = {step for one in kind.candidates if one.judged for step in one.permissions}
        for permissions in ROLES.values():
            assert {
                step for step in looked_for & permissions.keys() if Over.ALL not in permissions[step]
            } <= JUDGES_STEPS
