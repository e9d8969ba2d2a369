"""How a plan stands, what it takes from others on a day, and which steps begin in its state."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from common.contracts.measures import Aspect, Measure, PartKind, Phase, Siblings
from common.decision import EFFECTIVE_BEFORE_PLAN, Steps, Unit, must_follow
from measures.plan.parts import Parts
from measures.plan.rules import (
    BINDING,
    NO_NEW_ITEMS,
    STEPS,
    UNKNOWN_MEASURE,
    UNKNOWN_PARENT,
    WRONG_STATE,
    PlanState,
)
from measures.plan.scoring import UNTIL_ADOPTED, ScoringPolicy, Weights, last


@dataclass(frozen=True, slots=True)
class Amendment:
    """Something that was put right after the plan was closed."""

    what: str
    authority: str
    on: date


@dataclass(frozen=True, slots=True)
class Added:
    """A part that a revision put into the plan, and from which day on it is there."""

    part: PartKind
    code: str
    since: date


@dataclass(frozen=True, slots=True)
class Standing:
    """A plan of several years: aspects, the key measures under them, and phases in the order of time."""

    id: UUID
    version: int
    code: str
    title_zh: str
    title_en: str
    starts_on: date
    ends_on: date
    aspects: tuple[Aspect, ...]
    measures: tuple[Measure, ...]
    phases: tuple[Phase, ...]
    state: PlanState
    since: date
    """The day on which the last step took effect; revisions, weights and policies have days of their own."""
    issuer: str | None = None
    document_number: str | None = None
    phase: str | None = None
    """Code of the phase that was entered last."""
    weights: tuple[Weights, ...] = ()
    """All weights that were ever set, the latest last."""
    policies: tuple[ScoringPolicy, ...] = ()
    """The scoring policies that were adopted, the latest last."""
    successor: str | None = None
    """Code of the plan that goes on with what was carried over."""
    amendments: tuple[Amendment, ...] = ()
    """What was put right since the plan was closed."""
    adopted_on: date | None = None
    revised_on: date | None = None
    """The day on which the last revision took effect."""
    added: tuple[Added, ...] = ()
    """What revisions put into it, in the order in which they did."""

    def steps(self, by: Unit | None) -> Steps:  # noqa: ARG002 - who asks makes no difference here
        """What begins in this state."""
        for step, (path, states) in STEPS.items():
            if self.state in states:
                yield f"plan.{step}", path, None
        if self.state in BINDING:
            codes = [phase.code for phase in self.phases]
            for code in codes[codes.index(self.phase) + 1 if self.phase else 0 :]:
                yield "plan.enter-phase", f"phases/{code}/enter", None

    @property
    def parts(self) -> Parts:
        """What it is called and what it consists of."""
        return Parts(self.title_zh, self.title_en, self.aspects, self.measures, self.phases)

    def binds_from(self, part: PartKind, code: str) -> date | None:
        """The day from which a part binds: that of the adoption, or of the revision that added it; None in a draft."""
        added = (one.since for one in self.added if (one.part, one.code) == (part, code))
        return self.adopted_on and max((self.adopted_on, *added))

    def not_yet(self, siblings: Siblings, on: date) -> frozenset[str]:
        """The codes of those aspects, or measures, that a later revision than of that day added."""
        return frozenset(one.code for one in self.added if f"{one.part}s" == siblings and one.since > on)

    def policy_on(self, day: date) -> ScoringPolicy:
        """The scoring policy that holds on that day; before the first is adopted, the defaults."""
        return last(self.policies, day) or UNTIL_ADOPTED

    def needs_evidence(self, on: date) -> bool:
        """Whether a required milestone that is verified on that day needs verified evidence."""
        evidence_from = self.policy_on(on).evidence_from
        return evidence_from is not None and on >= evidence_from

    @property
    def last_word_on(self) -> date:
        """The last day on which anything was settled about the plan itself."""
        weighed, scored = (one.since for one in self.weights), (one.since for one in self.policies)
        return max(self.since, self.revised_on or self.since, *weighed, *scored)

    def weights_of(self, siblings: Siblings, parent: str) -> tuple[Weights, ...]:
        """All weights that were set below one parent, the latest last."""
        return tuple(one for one in self.weights if (one.siblings, one.parent) == (siblings, parent))

    def siblings(self, siblings: Siblings, parent: str, items: Collection[str]) -> Collection[str]:
        """The codes below a parent.

        :param items: the items of the measure ``parent``, if items are the siblings.
        :raises Refused: ``plan.unknown-parent``.
        """
        if siblings is Siblings.ASPECTS and parent == self.code:
            return [aspect.code for aspect in self.aspects]
        if siblings is Siblings.MEASURES and parent in {aspect.code for aspect in self.aspects}:
            return [measure.code for measure in self.measures if measure.aspect == parent]
        if siblings is Siblings.ITEMS and parent in {measure.code for measure in self.measures}:
            return items
        raise UNKNOWN_PARENT(pointer="/parent", parent=parent)

    def require_open_for_items(self, measure: str, *, on: date, pointer: str = "/measure") -> None:
        """Items may be put under this measure, which the request names at ``pointer``, on that day.

        :raises Refused: ``plan.wrong-state`` before adoption, ``plan.takes-no-new-items`` from the final evaluation
            on, ``plan.unknown-measure``, ``effective.before-plan``, ``effective.before-predecessor`` for a day before
            the adoption, or before the revision that added the measure.
        """
        if self.state is PlanState.DRAFT:
            raise WRONG_STATE(state=self.state)
        if self.state not in BINDING:
            raise NO_NEW_ITEMS()
        if measure not in {known.code for known in self.measures}:
            raise UNKNOWN_MEASURE(pointer=pointer, measure=measure)
        if on < self.starts_on:
            raise EFFECTIVE_BEFORE_PLAN(pointer="/effective_on", on=on, starts_on=self.starts_on)
        must_follow(on, self.binds_from(PartKind.MEASURE, measure) or on)
