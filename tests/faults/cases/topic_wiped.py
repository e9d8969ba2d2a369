"""A topic is wiped under an open producer; its events are published again from the tables, the views built anew."""

from common.kafka import TopicSettings, create_topics
from common.republish import Republisher, Scope
from events.schema import metadata
from eventually import eventually
from faults.clients import Load
from faults.expectations import every_command_was_answered
from faults.fault import Fault
from faults.servers import PARTITIONS
from faults.stack import TOPIC, FaultStack

KEPT = {"feed_counter"}
"""What a rebuild does not begin anew: numbers on the stream go on."""


async def inject(stack: FaultStack, load: Load) -> str:
    """Delete the topic and make it anew; the relay goes on, and the projector refuses to take the new for the old."""
    await stack.servers.wipe_topics(TOPIC)
    made = await create_topics(TopicSettings(kafka_bootstrap=stack.bootstrap, partitions=PARTITIONS))
    await load.after(60)
    projector = stack.the("events", "projector")
    await eventually(lambda: projector.process.running() is None, seconds=60)
    assert "TopicReplaced" in projector.process.log.read_text()
    return f"{', '.join(made)} was made anew, empty; {projector.name} ended itself, for it is not what it had read"


async def heal(stack: FaultStack, load: Load) -> str:
    """What operators do: publish again what is lacking, empty the views, which nobody reads meanwhile, and rebuild."""
    door, projector = stack.the("events", "api"), stack.the("events", "projector")
    stack.refilled = stack.moved_back = True
    database = stack.databases["measures"].app_url
    again = Republisher(
        service="measures", slice_number=0, database_url=database, bootstrap=stack.bootstrap, topic=TOPIC
    )
    lacked = await again.republish(Scope())
    await door.stop()
    await _empty_the_views(stack)
    projector.start()
    wanted = load.last_accepted()

    async def rebuilt() -> bool:
        view = await stack.view()
        return all(view.get(aggregate, 0) >= version for aggregate, version in wanted.items())

    await eventually(rebuilt, seconds=60)
    return f"{lacked.lacks} events were published again, and the views rebuilt; {await door.restart()}"


async def _empty_the_views(stack: FaultStack) -> None:
    await stack.ask("events", f"TRUNCATE {', '.join(name for name in metadata.tables if name not in KEPT)}")


FAULT = Fault(inject=inject, heal=heal, within_s=60, check=every_command_was_answered)
