"""`kegai audit verify` and `kegai republish` say in one sentence what they found."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import asyncpg
from typer.testing import Result

from common.audit import Audit, Break, Fault
from kegai.operating.audit import WORDS
from kegai.operating.audit import told as audit_told
from kegai.operating.places import Place
from lines import Line, commit_plan, commit_plans, running

Kegai = Callable[..., Awaitable[Result]]


async def published(line: Line) -> None:
    await commit_plans(line.pool, 2)
    async with running(line.relay()):
        await line.drained()


async def test_a_sound_service_passes_with_its_counts(line: Line, kegai: Kegai) -> None:
    await published(line)
    told = await kegai("audit", "verify")
    assert told.exit_code == 0
    assert "✓ measures: 6 events of 2 aggregates hang together" in told.output
    assert "6 records (0 repeats, 0 yet to come)" in told.output


async def test_without_the_topic_it_says_so(line: Line, kegai: Kegai) -> None:
    await published(line)
    assert "the topic was not looked at" in (await kegai("audit", "verify", "--no-topic")).output


async def test_the_first_broken_event_is_named_and_the_command_fails(line: Line, kegai: Kegai) -> None:
    await published(line)
    owner = await asyncpg.connect(line.database.owner_url)
    await owner.execute("UPDATE event SET payload = 'x' WHERE aggregate_version = 2")
    await owner.close()
    told = await kegai("audit", "verify", "--service", "measures")
    assert told.exit_code == 1
    rows = await line.pool.fetch("SELECT aggregate_id, event_id FROM event WHERE aggregate_version = 2")
    for row in rows:
        assert f"plan {row['aggregate_id']}@2, event {row['event_id']}: {WORDS[Fault.ALTERED][1]}" in told.output
    assert WORDS[Fault.ALTERED][0] in (await kegai("audit", "verify", lang="zh")).output


def test_what_a_forged_record_says_of_itself_cannot_pass_for_a_line_of_ours() -> None:
    place = Place("measures", "postgresql://nowhere", "nowhere", 1)
    found = Audit()
    found.add(Break(Fault.FORGED, "plan\n✓ measures", uuid4(), 1, "\x1b[2K", "topic[0]@7"))
    told = audit_told(place, found, with_topic=True)
    assert len(told.splitlines()) == 2
    assert "\x1b" not in told


def test_for_every_fault_there_are_words() -> None:
    assert WORDS.keys() == set(Fault)


async def test_a_database_that_is_not_named_is_asked_for(kegai: Kegai) -> None:
    told = await kegai("audit", "verify", "--service", "talent")
    assert told.exit_code == 1
    assert "KEGAI_TALENT_DATABASE_URL must be set" in told.output


async def test_a_server_that_is_away_is_told_without_a_traceback(kegai: Kegai) -> None:
    told = await kegai("audit", "verify", KEGAI_MEASURES_DATABASE_URL="postgresql://x@127.0.0.1:1/x")
    assert told.exit_code == 1
    assert "Look at: kegai status" in told.output


async def test_a_dry_run_tells_what_is_lacking_and_sends_nothing(line: Line, kegai: Kegai) -> None:
    plan = await commit_plan(line.pool)
    await line.pool.execute("DELETE FROM outbox")
    told = await kegai("republish", "--dry-run")
    assert told.exit_code == 0
    assert "0 are there and 1 are lacking" in told.output
    assert f"{plan}@1" in told.output
    assert "nothing was sent" in told.output
    assert await line.published() == []


async def test_what_is_lacking_is_sent_and_the_next_step_is_named(line: Line, kegai: Kegai) -> None:
    await published(line)
    lost = await commit_plan(line.pool)
    await line.pool.execute("DELETE FROM outbox")
    told = await kegai("republish")
    assert told.exit_code == 0, told.output
    assert "sent 1 of 1" in told.output
    assert "must be rebuilt" in told.output
    assert str(lost).encode() in {record.key for record in await line.published()}
    assert "0 are lacking" in (await kegai("republish")).output
