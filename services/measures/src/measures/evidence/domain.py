"""Evidence (佐证材料): a document on record for what it proves; it counts once somebody independent has verified it."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from common.contracts import Event
from common.contracts.measures import (
    Classification,
    EvidenceInvalidated,
    EvidenceLink,
    EvidenceLinked,
    EvidenceRegistered,
    EvidenceRejected,
    EvidenceSuperseded,
    EvidenceUnlinked,
    EvidenceVerified,
    MediaType,
)
from common.decision import NO_UNIT, NOT_INDEPENDENT, Change, Refused, Steps, Unit, must_follow
from measures.evidence.rules import (
    INVALIDATED_OTHERWISE,
    ISSUED_LATER,
    LINKED_TWICE,
    LINKS_MAX,
    NOT_ATTESTED,
    NOT_REGISTRANT,
    PROVES_NOTHING,
    REJECTED_OTHERWISE,
    STEPS,
    SUCCESSOR_PROVES_LESS,
    SUCCESSOR_UNFIT,
    SUPERSEDED_OTHERWISE,
    TOO_MANY_LINKS,
    WRONG_STATE,
    EvidenceState,
    Who,
)
from measures.subject.partakers import Partakers

S = EvidenceState


@dataclass(frozen=True, slots=True)
class Evidence:
    """One document: what it is, what it is to prove, and what was judged of it."""

    id: UUID
    version: int
    file: str
    """The name of its bytes in the store of files."""
    sha256: str
    size_bytes: int
    media_type: MediaType
    title: str
    document_number: str | None
    issuer: str | None
    issued_on: date | None
    classification: Classification
    redacted: bool
    registered_by: UUID
    links: tuple[EvidenceLink, ...]
    state: EvidenceState
    since: date
    """The day on which its last step took effect."""
    reason: str | None = None
    """Why it was rejected or invalidated."""
    authority: str | None = None
    """By which decision it was invalidated."""
    successor: UUID | None = None
    """The evidence that took its place."""
    partakers: tuple[Partakers, ...] = ()
    """Whose work each thing is that it proves; read beside it. Nobody of them judges it."""

    def steps(self, by: Unit | None) -> Steps:
        """What begins in this state, by the same rules that decide."""
        for action, (states, _) in STEPS.items():
            if self.state in states:
                yield f"evidence.{action}", action, self.why_not(action, by)

    def why_not(self, action: str, by: Unit | None, on: date | None = None) -> Refused | None:
        """What speaks against a step by this unit on that day, or now; None if nothing does."""
        states, who = STEPS[action]
        if self.state not in states:
            return WRONG_STATE(state=self.state)
        if action == "verify" and not self.links:
            return PROVES_NOTHING()
        if action == "link" and len(self.links) >= LINKS_MAX:
            return TOO_MANY_LINKS(most=LINKS_MAX)
        if by is None:
            return NO_UNIT()
        if who is Who.REGISTRANT and by.id != self.registered_by:
            return NOT_REGISTRANT()
        return self._not_independent(by, on) if who is Who.JUDGE else None

    def _not_independent(self, by: Unit, on: date | None) -> Refused | None:
        if by.belongs_to(self.registered_by):
            return NOT_INDEPENDENT()
        return next(filter(None, (one.not_independent(by, on) for one in self.partakers)), None)

    def link(self, link: EvidenceLink, *, by: Unit, on: date) -> Change["Evidence"]:
        """It is to prove one thing more; once it was judged, what it proves is settled.

        :raises Refused: ``evidence.wrong-state``, ``evidence.not-registrant``, ``evidence.too-many-links``,
            ``effective.before-predecessor``.
        """
        if link in self.links:
            return Change(self, (), on)  # said before: nothing happens twice
        event = EvidenceLinked(evidence=self.id, link=link, linked_on=on)
        return self._step("link", event, by=by, on=on, links=(*self.links, link))

    def unlink(self, link: EvidenceLink, *, reason: str, by: Unit, on: date) -> Change["Evidence"]:
        """It is not to prove that thing any more.

        :raises Refused: ``evidence.wrong-state``, ``evidence.not-registrant``, ``effective.before-predecessor``.
        """
        if link not in self.links:
            return Change(self, (), on)
        event = EvidenceUnlinked(evidence=self.id, link=link, reason=reason, unlinked_on=on)
        return self._step("unlink", event, by=by, on=on, links=tuple(one for one in self.links if one != link))

    def verify(self, *, by: Unit, on: date) -> Change["Evidence"]:
        """It is genuine and proves what it is linked to: it counts from now on.

        :raises Refused: ``evidence.wrong-state``, ``evidence.proves-nothing``, ``judge.not-independent``,
            ``effective.before-predecessor``.
        """
        if self.state is S.VERIFIED:
            return Change(self, (), on)
        event = EvidenceVerified(evidence=self.id, verifier=by.id, verified_on=on)
        return self._step("verify", event, by=by, on=on, state=S.VERIFIED)

    def reject(self, *, reason: str, by: Unit, on: date) -> Change["Evidence"]:
        """It proves nothing.

        :raises Refused: ``evidence.wrong-state``, ``evidence.rejected-otherwise``, ``judge.not-independent``,
            ``effective.before-predecessor``.
        """
        if self.state is S.REJECTED:
            if reason != self.reason:
                raise REJECTED_OTHERWISE()
            return Change(self, (), on)
        event = EvidenceRejected(evidence=self.id, reason=reason, by=by.id, rejected_on=on)
        return self._step("reject", event, by=by, on=on, state=S.REJECTED, reason=reason)

    def invalidate(self, *, reason: str, authority: str, by: Unit, on: date) -> Change["Evidence"]:
        """It was wrongly verified. What was judged by it is flagged where it stands, and reopened by nobody.

        :raises Refused: ``evidence.wrong-state``, ``evidence.invalidated-otherwise``, ``judge.not-independent``,
            ``effective.before-predecessor``.
        """
        if self.state is S.INVALIDATED:
            if (reason, authority) != (self.reason, self.authority):
                raise INVALIDATED_OTHERWISE()
            return Change(self, (), on)
        event = EvidenceInvalidated(
            evidence=self.id, links=self.links, reason=reason, authority=authority, by=by.id, invalidated_on=on
        )
        return self._step("invalidate", event, by=by, on=on, state=S.INVALIDATED, reason=reason, authority=authority)

    def supersede(self, successor: "Evidence", *, by: Unit, on: date) -> Change["Evidence"]:
        """Another document takes its place; nothing that counted loses its ground by that.

        :raises Refused: ``evidence.wrong-state``, ``evidence.superseded-otherwise``, ``evidence.not-registrant``,
            ``evidence.successor-unfit``, ``evidence.successor-proves-less``, ``effective.before-predecessor``.
        """
        if self.state is S.SUPERSEDED:
            if successor.id != self.successor:
                raise SUPERSEDED_OTHERWISE()
            return Change(self, (), on)
        if refused := self.why_not("supersede", by):
            raise refused
        fit = (S.VERIFIED,) if self.state is S.VERIFIED else (S.REGISTERED, S.VERIFIED)
        if successor.id == self.id or successor.registered_by != self.registered_by or successor.state not in fit:
            raise SUCCESSOR_UNFIT(pointer="/successor")
        if not set(self.links) <= set(successor.links):
            raise SUCCESSOR_PROVES_LESS(pointer="/successor")
        must_follow(on, successor.since)
        event = EvidenceSuperseded(evidence=self.id, successor=successor.id, superseded_on=on)
        return self._step("supersede", event, by=by, on=on, state=S.SUPERSEDED, successor=successor.id)

    def _step(self, action: str, event: Event, *, by: Unit, on: date, **changed: Any) -> Change["Evidence"]:
        if refused := self.why_not(action, by, on):
            raise refused
        must_follow(on, self.since)
        return Change(replace(self, version=self.version + 1, since=on, **changed), (event,), on)


def register(
    *,
    id: UUID,  # noqa: A002 - the trade's word
    file: str,
    sha256: str,
    size_bytes: int,
    media_type: MediaType,
    title: str,
    document_number: str | None,
    issuer: str | None,
    issued_on: date | None,
    classification: Classification,
    redacted: bool,
    not_a_state_secret: bool,
    links: tuple[EvidenceLink, ...],
    partakers: tuple[Partakers, ...],
    by: Unit,
    on: date,
) -> Change[Evidence]:
    """Put a document on record, attested to be no state secret.

    :param file: the name of its bytes, which are complete and are what the digest says.
    :param partakers: whose work each thing is that it is to prove.
    :raises Refused: ``evidence.not-attested``, ``evidence.issued-later``, ``evidence.linked-twice``.
    """
    if not not_a_state_secret:
        raise NOT_ATTESTED(pointer="/not_a_state_secret")
    if issued_on is not None and issued_on > on:
        raise ISSUED_LATER(pointer="/issued_on", issued_on=issued_on, on=on)
    if len(set(links)) < len(links):
        raise LINKED_TWICE(pointer="/links")
    words: dict[str, Any] = {
        "sha256": sha256, "size_bytes": size_bytes, "media_type": media_type, "title": title,
        "document_number": document_number, "issuer": issuer, "issued_on": issued_on,
        "classification": classification, "redacted": redacted, "links": links, "registered_by": by.id,
    }  # fmt: skip
    event = EvidenceRegistered(evidence=id, not_a_state_secret=True, registered_on=on, **words)
    evidence = Evidence(id=id, version=1, file=file, state=S.REGISTERED, since=on, partakers=partakers, **words)
    return Change(evidence, (event,), on)
