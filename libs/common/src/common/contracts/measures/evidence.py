"""What is told of evidence (佐证材料): what it is, what it proves, and what was judged of it; its bytes never are."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from common.contracts import EffectiveOn, Title
from common.contracts.measures.words import Authority, MeasuresEvent, Reason, Value

EvidenceId = Annotated[UUID, Field(description="The evidence: the aggregate, and the record's key.")]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file, in lower-case hexadecimal.")]
IndependentUnit = Annotated[
    UUID,
    Field(description="The unit that judged: neither that which registered it, nor one that did what it proves."),
]


class Classification(StrEnum):
    """Whom a document is for. State secrets have no place here at all."""

    PUBLIC = "public"
    INTERNAL = "internal"
    SENSITIVE = "sensitive"


class MediaType(StrEnum):
    """What kinds of files are taken; each is recognised by its content."""

    PDF = "application/pdf"
    PNG = "image/png"
    JPEG = "image/jpeg"
    DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    TEXT = "text/plain"
    CSV = "text/csv"


class Proven(StrEnum):
    """What kinds of things evidence proves."""

    MILESTONE = "milestone"
    ITEM = "item"
    MEASURE = "measure"


class EvidenceLink(Value):
    """One thing that the evidence proves."""

    kind: Proven
    id: UUID
    """The item, for a milestone the item that it stands in, or the measure: the aggregate."""
    number: int | None = Field(default=None, ge=1, le=99)
    """The milestone's number within its item; nothing else has one."""


class EvidenceRegistered(MeasuresEvent):
    """A unit put a document on record; it proves nothing before it is judged."""

    evidence: EvidenceId
    sha256: Sha256
    size_bytes: int = Field(ge=1)
    """How long the file is."""
    media_type: MediaType
    title: Title
    """What the document is called."""
    document_number: Title | None = None
    """The number by which its issuer knows it (文号)."""
    issuer: Title | None = None
    """Who issued it."""
    issued_on: date | None = None
    """The day that it bears."""
    classification: Classification
    redacted: bool
    """Whether parts of the original are made unreadable in it."""
    not_a_state_secret: Literal[True]
    """Who registered it attested that it contains no state secret."""
    links: tuple[EvidenceLink, ...]
    """What it is to prove."""
    registered_by: UUID
    """The unit that registered it."""
    registered_on: EffectiveOn


class EvidenceLinked(MeasuresEvent):
    """It is to prove one thing more; it was not judged yet."""

    evidence: EvidenceId
    link: EvidenceLink
    linked_on: EffectiveOn


class EvidenceUnlinked(MeasuresEvent):
    """It is not to prove that thing any more; it was not judged yet."""

    evidence: EvidenceId
    link: EvidenceLink
    reason: Reason
    unlinked_on: EffectiveOn


class EvidenceVerified(MeasuresEvent):
    """It was judged genuine and sufficient for what it is to prove: from this day on it counts."""

    evidence: EvidenceId
    verifier: IndependentUnit
    verified_on: EffectiveOn


class EvidenceRejected(MeasuresEvent):
    """It was judged to prove nothing."""

    evidence: EvidenceId
    reason: Reason
    by: IndependentUnit
    rejected_on: EffectiveOn


class EvidenceInvalidated(MeasuresEvent):
    """It was wrongly verified: what was judged by it stays, and rests on nothing until somebody looks again."""

    evidence: EvidenceId
    links: tuple[EvidenceLink, ...]
    """What it was held to prove."""
    reason: Reason
    authority: Authority
    by: IndependentUnit
    invalidated_on: EffectiveOn


class EvidenceSuperseded(MeasuresEvent):
    """Another document took its place: a newer version, or one with parts made unreadable."""

    evidence: EvidenceId
    successor: UUID
    """The evidence that counts in its stead."""
    superseded_on: EffectiveOn
