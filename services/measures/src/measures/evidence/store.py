"""Where evidence is kept, whom it concerns, and how the list of it is read."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.call import Call
from common.contracts.measures import Classification
from common.roles import Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.evidence.domain import Evidence
from measures.evidence.rules import EvidenceState
from measures.tables import Base


class EvidenceRow(Base, AggregateRow, table=True):
    """One document on record."""

    __tablename__ = "evidence"
    __table_args__ = (
        Index(None, "sha256"),
        Index(None, "file"),
        Index(None, "registered_by"),
        Index("ix_evidence_links", "links", postgresql_using="gin", postgresql_ops={"links": "jsonb_path_ops"}),
        one_of("state", EvidenceState),
        one_of("classification", Classification),
    )

    file: str
    sha256: str
    size_bytes: int = Field(sa_type=BigInteger)
    media_type: str
    title: str
    document_number: str | None
    issuer: str | None
    issued_on: date | None
    classification: str
    redacted: bool
    registered_by: UUID
    links: str = Field(sa_column=Column(JSONB, nullable=False))
    state: str
    since: date
    reason: str | None
    authority: str | None
    successor: UUID | None


PROVEN = "SELECT (link ->> 'id')::uuid FROM jsonb_array_elements(found.links) link"
READS = {
    "parties": "SELECT coalesce(jsonb_agg(DISTINCT unit), '[]') FROM item, unnest(item.co_units || item.owner) unit "  # noqa: S608
    f"WHERE item.id IN ({PROVEN})",
}
"""Who did what it proves, whatever became of the items since it was linked to them."""


def _concerns(evidence: Evidence) -> Concerned:
    """It concerns who registered it, and who did what it proves; what is sensitive, only who registered it."""
    if evidence.classification is Classification.SENSITIVE:
        return Concerned(units=(evidence.registered_by,))
    return Concerned(units=(evidence.registered_by, *evidence.parties))


evidences = Aggregates(EvidenceRow, Evidence, of="evidence", at="/api/v1/evidence", concerns=_concerns, reads=READS)


@dataclass(frozen=True, slots=True)
class EvidenceFilter:
    """Which evidence is asked for; what is None does not matter."""

    item: UUID | None = None
    state: str | None = None
    registered_by: UUID | None = None


async def list_evidence(call: Call, wanted: EvidenceFilter, *, after: UUID | None, limit: int) -> list[Evidence]:
    """Evidence by age, only what the caller may know of, one more than ``limit`` if there is more."""
    scope = evidences.scope(call)
    rows = await call.service.pool.fetch(
        f"SELECT {evidences.selection} FROM evidence found WHERE ($1::uuid IS NULL OR id > $1) "  # noqa: S608 - declared names
        "AND ($2::uuid IS NULL OR links @> jsonb_build_array(jsonb_build_object('id', $2::uuid))) "
        "AND ($3::text IS NULL OR state = $3) AND ($4::uuid IS NULL OR registered_by = $4) "
        "AND ($5 OR registered_by = ANY($6::uuid[]) OR classification <> 'sensitive' AND EXISTS (SELECT FROM item "
        f"WHERE item.id IN ({PROVEN}) AND (item.owner = ANY($6::uuid[]) OR item.co_units && $6::uuid[]))) "
        "ORDER BY id LIMIT $7",
        after,
        wanted.item,
        wanted.state,
        wanted.registered_by,
        scope.everything,
        scope.units,
        limit + 1,
    )
    return [evidences.codec.state_of(row) for row in rows]


async def with_file(call: Call, sha256: str) -> list[Evidence]:
    """All evidence whose file has this digest, whoever may see it."""
    rows = await call.service.pool.fetch(
        f"SELECT {evidences.selection} FROM evidence found WHERE sha256 = $1 ORDER BY id",  # noqa: S608
        sha256,
    )
    return [evidences.codec.state_of(row) for row in rows]


async def is_on_record(call: Call, file: str) -> bool:
    """Whether some evidence has this file."""
    return bool(await call.service.pool.fetchval("SELECT EXISTS (SELECT FROM evidence WHERE file = $1)", file))
