"""The parts of a plan: aspects, measures and phases that fit together, however often the plan is revised."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, TypeVar

from common.contracts.measures import Aspect, Measure, Phase, PlanDiff, Renamed
from measures.plan.rules import (
    CODE_IN_USE,
    CODE_TWICE,
    PERIOD_REVERSED,
    PHASE_OUTSIDE,
    PHASES_OVERLAP,
    UNKNOWN_ASPECT,
    UNKNOWN_PART,
)

Part = TypeVar("Part", Aspect, Measure, Phase)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a plan is called and what it consists of; phases in the order of time."""

    title_zh: str
    title_en: str
    aspects: tuple[Aspect, ...]
    measures: tuple[Measure, ...]
    phases: tuple[Phase, ...]

    def sound(self, starts_on: date, ends_on: date) -> "Parts":
        """The same, its phases in the order of time, if codes are unique and every part has its place.

        :raises Refused: ``plan.code-twice``, ``plan.unknown-aspect``, ``plan.period-reversed``,
            ``plan.phase-outside``, ``plan.phases-overlap``.
        """
        for name in ("aspects", "measures", "phases"):
            require_once((part.code for part in getattr(self, name)), at=f"/{name}")
        _require_aspects(self.measures, self.aspects, at="/measures")
        return replace(self, phases=_in_time(self.phases, starts_on, ends_on, at="/phases"))

    def news(self, diff: PlanDiff) -> PlanDiff:
        """Of a revision what it adds that is not there yet; the rest as it is."""
        names = ("aspects", "measures", "phases")
        return diff.model_copy(
            update={name: tuple(one for one in getattr(diff, name) if one not in getattr(self, name)) for name in names}
        )

    def revised(self, diff: PlanDiff, starts_on: date, ends_on: date) -> "Parts":
        """The parts after a revision; what it adds that is there already in just these words changes nothing.

        :raises Refused: ``plan.code-in-use``, ``plan.unknown-part``, ``plan.code-twice``, and as ``sound``.
        """
        aspects = _with(self.aspects, diff.aspects, "/diff/aspects")
        _require_aspects(diff.measures, aspects, at="/diff/measures")
        found = Parts(
            title_zh=diff.title_zh or self.title_zh,
            title_en=diff.title_en or self.title_en,
            aspects=aspects,
            measures=_with(self.measures, diff.measures, "/diff/measures"),
            phases=_in_time(_with(self.phases, diff.phases, "/diff/phases"), starts_on, ends_on, at="/diff/phases"),
        )
        named: set[tuple[str, str]] = set()
        for place, one in enumerate(diff.renamed):
            if (one.part, one.code) in named:
                raise CODE_TWICE(pointer=f"/diff/renamed/{place}/code", code=one.code)
            named.add((one.part, one.code))
            found = found._renamed(one, at=f"/diff/renamed/{place}/code")
        return found

    def _renamed(self, one: Renamed, *, at: str) -> "Parts":
        names = {"name_zh": one.name_zh, "name_en": one.name_en}
        parts: tuple[Aspect | Measure | Phase, ...] = getattr(self, f"{one.part}s")
        if one.code not in {part.code for part in parts}:
            raise UNKNOWN_PART(pointer=at, code=one.code)
        after = tuple(part.model_copy(update=names) if part.code == one.code else part for part in parts)
        changed: dict[str, Any] = {f"{one.part}s": after}
        return replace(self, **changed)


def require_once(codes: Iterable[str], *, at: str) -> None:
    """No code comes twice in a list.

    :raises Refused: ``plan.code-twice``.
    """
    seen: set[str] = set()
    for place, code in enumerate(codes):
        if code in seen:
            raise CODE_TWICE(pointer=f"{at}/{place}/code", code=code)
        seen.add(code)


def _with(parts: tuple[Part, ...], added: Sequence[Part], at: str) -> tuple[Part, ...]:
    require_once((one.code for one in added), at=at)
    for place, one in enumerate(added):
        if one.code in {part.code for part in parts} and one not in parts:
            raise CODE_IN_USE(pointer=f"{at}/{place}/code", code=one.code)
    return parts + tuple(one for one in added if one not in parts)


def _require_aspects(measures: Sequence[Measure], aspects: Sequence[Aspect], *, at: str) -> None:
    known = {aspect.code for aspect in aspects}
    for place, one in enumerate(measures):
        if one.aspect not in known:
            raise UNKNOWN_ASPECT(pointer=f"{at}/{place}/aspect", measure=one.code, aspect=one.aspect)


def _in_time(phases: tuple[Phase, ...], starts_on: date, ends_on: date, *, at: str) -> tuple[Phase, ...]:
    phases = tuple(sorted(phases, key=lambda phase: phase.starts_on))
    previous_end: date | None = None
    for phase in phases:
        if phase.ends_on < phase.starts_on:
            raise PERIOD_REVERSED(pointer=at)
        if phase.starts_on < starts_on or phase.ends_on > ends_on:
            raise PHASE_OUTSIDE(pointer=at, phase=phase.code)
        if previous_end is not None and phase.starts_on <= previous_end:
            raise PHASES_OVERLAP(pointer=at, phase=phase.code)
        previous_end = phase.ends_on
    return phases
