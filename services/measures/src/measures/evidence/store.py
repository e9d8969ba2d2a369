"""Where evidence is kept, whom it concerns, and how the list of it is read."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Column, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field

from common.call import Call
from common.contracts.measures import Classification
from common.roles import Concerned
from common.rows import AggregateRow, one_of
from common.store import Aggregates
from measures.asking import Asking
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
        Index(None, "since", "id", postgresql_where="state = 'registered'"),
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


_PROVEN: Final = "(SELECT (link ->> 'id')::uuid FROM jsonb_array_elements(found.links) link)"
PARTAKERS: Final = f"""
SELECT coalesce(jsonb_agg(took), '[]') FROM (
    SELECT jsonb_build_object(
        'units', array_prepend(item.owner, item.co_units), 'leads', coalesce(measure.leads, '[]')) AS took
    FROM item LEFT JOIN measure ON measure.plan = item.plan AND measure.code = item.measure
    WHERE item.id IN {_PROVEN}
    UNION ALL
    SELECT jsonb_build_object('units', ARRAY(
        SELECT DISTINCT unit FROM item, unnest(array_prepend(item.owner, item.co_units)) AS unit
        WHERE item.plan = measure.plan AND item.measure = measure.code
    ), 'leads', measure.leads)
    FROM measure WHERE measure.id IN {_PROVEN}
) AS all_that_it_proves
"""  # noqa: S608 - texts of our own
"""Whose work each thing is that it proves, as ``Partakers``, whatever changed since it was linked."""
GROUNDS: Final = """
SELECT jsonb_build_object(
    'proofs', ARRAY(
        SELECT jsonb_build_object(
            'evidence', evidence.id, 'number', link -> 'number', 'state', evidence.state, 'since', evidence.since)
        FROM evidence, jsonb_array_elements(evidence.links) AS link
        WHERE evidence.links @> jsonb_build_array(jsonb_build_object('id', found.id))
        AND link ->> 'id' = found.id::text),
    'rules', ARRAY(
        SELECT jsonb_build_object(
            'since', policy -> 'since',
            'evidence_from', CASE WHEN (policy ->> 'evidence_from')::date
                <= (now() AT TIME ZONE 'Asia/Shanghai')::date THEN policy -> 'evidence_from' END)
        FROM plan, jsonb_array_elements(plan.policies) AS policy WHERE plan.code = found.plan))
"""
"""The ``Grounds`` of a row of ``item``: to be read beside it."""


PARTAKEN: Final = "owner = ANY({0}::uuid[]) OR cardinality(co_units) > 0 AND co_units && {0}::uuid[]"
"""Whether one of the units {0} owns or helps with a row of ``item``: the index of helpers has those that have any."""
CONCERNING: Final = f"""
(registered_by = ANY({{0}}::uuid[]) OR classification <> 'sensitive' AND (
    SELECT bool_or((link ->> 'id')::uuid IN (
        WITH led AS (SELECT id, plan, code FROM measure WHERE (leads -> -1 ->> 'unit')::uuid = ANY({{1}}::uuid[])),
        theirs AS (
            SELECT id, plan, measure FROM item WHERE {PARTAKEN}
            UNION ALL
            SELECT item.id, item.plan, measure FROM led JOIN item ON item.plan = led.plan AND measure = led.code)
        SELECT id FROM theirs
        UNION ALL SELECT id FROM led
        UNION ALL SELECT id FROM measure WHERE (plan, code) IN (SELECT plan, measure FROM theirs)))
    FROM jsonb_array_elements(found.links) AS link))
"""  # noqa: S608 - texts of our own
"""The condition on rows of evidence for who may know only of what concerns some units, {0}, or is led by some, {1}.

It says what ``_concerns`` says. What these units do and lead is worked out once for all rows: written as a join
(``EXISTS``), it would be gone through for each."""


def _concerns(evidence: Evidence) -> Concerned:
    """It concerns who registered it and whose work it proves; what is sensitive, only who registered it."""
    if evidence.classification is Classification.SENSITIVE:
        return Concerned(units=(evidence.registered_by,))
    return Concerned(
        units=(evidence.registered_by, *(unit for one in evidence.partakers for unit in one.units)),
        leads=tuple(unit for one in evidence.partakers for unit in one.lead(None)),
    )


evidences = Aggregates(
    EvidenceRow, Evidence, of="evidence", at="/api/v1/evidence", concerns=_concerns, reads={"partakers": PARTAKERS}
)


@dataclass(frozen=True, slots=True)
class EvidenceFilter:
    """Which evidence is asked for; what is None does not matter."""

    proves: UUID | None = None
    """An item, itself or one of its milestones, or a measure."""
    state: str | None = None
    registered_by: UUID | None = None


async def list_evidence(call: Call, wanted: EvidenceFilter, *, after: UUID | None, limit: int) -> list[Evidence]:
    """Evidence by age, only what the caller may know of, one more than ``limit`` if there is more."""
    asking, scope = Asking(), evidences.scope(call)
    if after is not None:
        asking.where("id > {}", after)
    if wanted.proves is not None:
        asking.where("links @> jsonb_build_array(jsonb_build_object('id', {}::uuid))", wanted.proves)
    if wanted.state is not None:
        asking.where("state = {}", wanted.state)
    if wanted.registered_by is not None:
        asking.where("registered_by = {}", wanted.registered_by)
    if not scope.everything:
        asking.where(CONCERNING, scope.units, scope.leads)
    rows = await call.service.pool.fetch(
        f"SELECT {evidences.selection} FROM evidence found WHERE {asking} ORDER BY id LIMIT {limit + 1:d}",  # noqa: S608
        *asking.parameters,
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
