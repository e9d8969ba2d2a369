"""What a projection parks is copied for others where it can be; where it cannot, the projection goes on."""

from aiokafka.admin import AIOKafkaAdminClient

from common.kafka import quarantine_of
from stages import OTHER, PLAN, Stage

NEARLY_TOO_LARGE = 1024 * 1024 - 200
"""So many bytes a topic takes by default, and no longer with the reason and the origin beside them."""


async def test_a_record_of_nothing_at_all_is_parked_and_copied(stage: Stage) -> None:
    await stage.put_nothing()
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
        (copy,) = await stage.quarantined(1)
        assert await stage.parked() == [(None, "envelope")]
        await stage.tell(PLAN, 2)
        await stage.shows(PLAN, 1, 2)
    assert (copy.key or b"", copy.value) == (b"", None)
    assert dict(copy.headers)["kegai-reason"] == b"envelope"


async def test_a_copy_that_is_too_large_stops_neither_the_projection_nor_other_copies(stage: Stage) -> None:
    await stage.put([], b"x" * NEARLY_TOO_LARGE)
    await stage.put([], b"small")
    await stage.tell(PLAN, 1)
    async with stage.projecting():
        await stage.shows(PLAN, 1)
        (first,) = await stage.quarantined(1)
        await stage.put([], b"later")
        _, second = await stage.quarantined(2)
        await stage.tell(PLAN, 2)
        await stage.shows(PLAN, 1, 2)
    assert (first.value, second.value) == (b"small", b"later")
    uncopied = await stage.pool.fetch("SELECT length(value) FROM parked WHERE NOT copied")
    assert [tuple(row) for row in uncopied] == [(NEARLY_TOO_LARGE,)]


async def test_without_a_quarantine_topic_the_projection_goes_on(stage: Stage) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=stage.bootstrap)
    await admin.start()
    await admin.delete_topics([quarantine_of(stage.topic)])
    await admin.close()
    await stage.put([], b"of nobody")
    async with stage.projecting():
        await stage.has_parked((None, "envelope"))
        for version in (1, 2):
            await stage.tell(OTHER, version)
            await stage.shows(OTHER, *range(1, version + 1))
    assert stage.view.given == [[1], [2]]
