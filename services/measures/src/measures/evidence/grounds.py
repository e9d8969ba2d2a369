"""What an item rests on: the evidence for it and its milestones, and from when a milestone needs some."""

from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from measures.evidence.rules import EvidenceState


@dataclass(frozen=True, slots=True)
class Proof:
    """One document that is to prove an item, or one of its milestones, and how it was judged."""

    evidence: UUID
    number: int | None
    """The milestone's number; None: the item itself."""
    state: EvidenceState
    """What was invalidated stays here, and says that what was judged by it rests on it no more."""
    since: date
    """From which day on it is in that state."""


@dataclass(frozen=True, slots=True)
class EvidenceRule:
    """What a plan's scoring policy says, from the day on which it took effect."""

    since: date
    evidence_from: date | None
    """From this day required milestones need verified evidence; None while that day has not come."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """All that is to prove an item, and the rules of its plan about that; read beside the item."""

    proofs: tuple[Proof, ...] = ()
    rules: tuple[EvidenceRule, ...] = ()
    """In the order in which they took effect."""
    shaken: tuple[int, ...] = field(init=False, default=())
    """Milestones by their numbers whose evidence was invalidated, and that no verified evidence proves now.

    One of them that is verified is for a judge to look at again: it is not reopened by that.
    """

    def __post_init__(self) -> None:
        """Work out what is shaken."""
        states: dict[int, set[EvidenceState]] = {}
        for proof in self.proofs:
            if proof.number is not None:
                states.setdefault(proof.number, set()).add(proof.state)
        shaken = (n for n, s in sorted(states.items()) if EvidenceState.INVALIDATED in s and not self._proven(n))
        object.__setattr__(self, "shaken", tuple(shaken))

    @property
    def standing(self) -> tuple[UUID, ...]:
        """The evidence that was verified, or waits for that."""
        stands = (EvidenceState.REGISTERED, EvidenceState.VERIFIED)
        return tuple(sorted({one.evidence for one in self.proofs if one.state in stands}))

    def lack(self, number: int, on: date | None) -> bool:
        """Whether a required milestone lacks the evidence that it needs to be verified on that day, or now."""
        return self._needed(on) and not self._proven(number, on)

    def _proven(self, number: int, on: date | None = None) -> bool:
        """Whether it was proven by that day, or is now: a day before evidence was verified rests on nothing."""
        verified = (one for one in self.proofs if one.number == number and one.state is EvidenceState.VERIFIED)
        return any(on is None or one.since <= on for one in verified)

    def _needed(self, on: date | None) -> bool:
        rule = next((rule for rule in reversed(self.rules) if on is None or rule.since <= on), None)
        return rule is not None and rule.evidence_from is not None and (on is None or rule.evidence_from <= on)
