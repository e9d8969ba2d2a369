"""Records that no reader can take in, one of each kind, and what a topic must be told to let the largest of them in."""

from datetime import date
from typing import Final
from uuid import UUID, uuid4

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from builders import circumstances, wire
from common.contracts.measures import PlanAdopted

TEN_MEGABYTES: Final = 10 * 1024 * 1024
Headers = list[tuple[str, bytes]]


def _event(plan: UUID, version: int) -> tuple[Headers, bytes]:
    adopted = PlanAdopted(plan=plan, issuer="x", document_number="1", adopted_on=date(2021, 2, 1))
    return wire(adopted, circumstances("plan", plan, version))


def poisons() -> list[tuple[str, Headers, bytes]]:
    """One of each kind, each of an aggregate of its own, and an event that waits behind the first."""
    made = {kind: uuid4() for kind in ("bad JSON", "unknown type", "newer schema", "missing header", "gap", "10 MB")}
    told = {kind: _event(plan, 1) for kind, plan in made.items()}

    def changed(kind: str, name: str, text: bytes | None) -> Headers:
        kept = [one for one in told[kind][0] if one[0] != name]
        return kept if text is None else [*kept, (name, text)]

    newer = dict(told["newer schema"][0])["ce_type"].replace(b".v1", b".v2")
    return [
        ("bad JSON", told["bad JSON"][0], b'{"plan": '),
        ("waits behind bad JSON", *_event(made["bad JSON"], 2)),
        ("unknown type", changed("unknown type", "ce_type", b"cqast.measures.nobody-knows.v1"), b"{}"),
        ("newer schema", changed("newer schema", "ce_type", newer), told["newer schema"][1]),
        ("missing header", changed("missing header", "ce_subject", None), told["missing header"][1]),
        ("version gap", *_event(made["gap"], 5)),
        ("10 MB", told["10 MB"][0], b'{"issuer": "' + b"x" * TEN_MEGABYTES + b'"}'),
    ]


async def let_in(bootstrap: str, topic: str, size: int) -> None:
    """Let the topic take records as large as this, in bytes, which it refuses otherwise."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, {"max.message.bytes": str(size)})])
    finally:
        await admin.close()
