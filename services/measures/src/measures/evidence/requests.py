"""What a client says to the commands of evidence."""

from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import ConfigDict, Field

from common.contracts.measures import Classification, EvidenceLink, MediaType, Proven
from common.fields import Text, Title
from common.http import Body, Command, Day

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the file, in lower-case hexadecimal")]
LINK_SHOWN: Final[dict[str, Any]] = {
    "kind": "milestone",
    "id": "0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f",
    "number": 2,
}
REGISTRATION_SHOWN: Final[dict[str, Any]] = {
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "media_type": "application/pdf",
    "title": "关于印发渠道备案办法的通知",
    "document_number": "渝科协发〔2022〕61号",
    "issuer": "重庆市科学技术协会",
    "issued_on": "2022-09-12",
    "classification": "internal",
    "not_a_state_secret": True,
    "links": [LINK_SHOWN],
    "effective_on": "2022-09-15",
}


class Link(Body):
    """One thing that it proves: a milestone (with its number), an item, or a measure."""

    kind: Proven
    id: UUID
    """The item or the measure; for a milestone the item that it stands in."""
    number: int | None = Field(default=None, ge=1, le=99)

    def told(self) -> EvidenceLink:
        """In the contract's words."""
        return EvidenceLink(kind=self.kind, id=self.id, number=self.number)


class Registration(Command):
    """A document whose file was sent before; what of it is not known may be left out."""

    model_config = ConfigDict(json_schema_extra={"examples": [REGISTRATION_SHOWN]})

    sha256: Sha256
    media_type: MediaType
    """As it was sent."""
    title: Title
    document_number: Title | None = None
    """The number by which its issuer knows it (文号)."""
    issuer: Title | None = None
    issued_on: Day | None = None
    classification: Classification
    redacted: bool = False
    """Whether parts of the original are made unreadable in it."""
    not_a_state_secret: bool
    """Who registers it attests that it contains no state secret: without that it is not taken."""
    links: tuple[Link, ...] = Field(default=(), max_length=50)


class OneLink(Link, Command):
    """One thing more that it is to prove."""

    model_config = ConfigDict(json_schema_extra={"examples": [LINK_SHOWN | {"effective_on": "2022-09-16"}]})


class Unlinking(OneLink):
    """What it is not to prove any more, and why."""

    model_config = ConfigDict(json_schema_extra={"examples": [LINK_SHOWN | {"reason": "应为第三个节点。"}]})

    reason: Text


class Why(Command):
    """Why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "扫描件缺盖章页。"}]})

    reason: Text


class WhyWithAuthority(Why):
    """Why, and by which decision or document."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "文件已被撤销。", "authority": "会议纪要 2023-4"}]}
    )

    authority: Title


class Succession(Command):
    """Which evidence takes its place."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"successor": "0197c1a0-7d20-7c33-8e03-3b4c5d6e7f80"}]})

    successor: UUID
