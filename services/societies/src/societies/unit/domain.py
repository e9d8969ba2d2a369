"""An association unit (科协组织): established once, its code its own for good, its name from a given day on."""

from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from common.contracts.directory import UnitEstablished, UnitKind, UnitRenamed
from common.decision import Change, Kind, Refusal, Steps, Unit, Worded, must_follow

PARENT_NEEDED = Refusal(
    "unit.parent-needed",
    zh="除市科协外，单位均须有上级单位",
    en="Every unit but the municipal association belongs to another",
    kind=Kind.INVALID,
)
MUNICIPAL_HAS_NO_PARENT = Refusal(
    "unit.municipal-has-no-parent",
    zh="市科协没有上级单位",
    en="The municipal association belongs to no other unit",
    kind=Kind.INVALID,
)
AREA_NEEDED = Refusal(
    "unit.area-needed",
    zh="类别为 {kind} 的单位须载明 {field}",
    en="A unit of kind {kind} needs a {field}",
    kind=Kind.INVALID,
)
AREA_UNFIT = Refusal(
    "unit.area-unfit",
    zh="类别为 {kind} 的单位不得载明 {field}",
    en="A unit of kind {kind} has no {field}",
    kind=Kind.INVALID,
)
WRONG_STATE = Refusal(
    "unit.wrong-state", zh="单位现处于“{state}”，不能执行此操作", en="The unit is {state}: this cannot be done now"
)


class UnitState(Worded):
    """Where a unit stands; one that is merged or dissolved keeps its code, which no other unit ever gets."""

    ACTIVE = "active", "有效"
    MERGED = "merged", "已并入"
    DISSOLVED = "dissolved", "已撤销"


@dataclass(frozen=True, slots=True)
class AssociationUnit:
    """An association unit as it stands now; the names that it bore before are in its history."""

    id: UUID
    version: int
    code: str
    kind: UnitKind
    name_zh: str
    name_en: str
    named_from: date
    """The day from which it bears its name."""
    parent: UUID | None
    division_code: str | None
    """GB/T 2260 code of the division that it serves. The state reuses such codes: it tells nothing about history."""
    zone_code: str | None
    """Own code of the functional zone that it serves."""
    established_on: date
    state: UnitState

    def steps(self, by: Unit | None) -> Steps:  # noqa: ARG002 - who asks makes no difference here
        """What begins in this state."""
        if self.state is UnitState.ACTIVE:
            yield "unit.rename", "rename", None

    def rename(self, *, name_zh: str, name_en: str, on: date) -> Change["AssociationUnit"]:
        """It bears another name from that day on.

        :raises Refused: ``unit.wrong-state``, ``effective.before-predecessor`` if that is before it was established or
            before its present name began.
        """
        if (self.name_zh, self.name_en) == (name_zh, name_en):
            return Change(self, (), on)
        if self.state is not UnitState.ACTIVE:
            raise WRONG_STATE(state=self.state)
        must_follow(on, self.named_from)
        event = UnitRenamed(unit=self.id, name_zh=name_zh, name_en=name_en, valid_from=on)
        after = replace(self, version=self.version + 1, name_zh=name_zh, name_en=name_en, named_from=on)
        return Change(after, (event,), on)


def establish_unit(
    *,
    id: UUID,  # noqa: A002 - the trade's word
    code: str,
    kind: UnitKind,
    name_zh: str,
    name_en: str,
    parent: UUID | None,
    division_code: str | None,
    zone_code: str | None,
    on: date,
) -> Change[AssociationUnit]:
    """Enter a unit in the directory. All but the municipal association have a parent; a district's association serves a
    division, a zone's a zone, and no other unit has either.

    :raises Refused: ``unit.parent-needed``, ``unit.municipal-has-no-parent``, ``unit.area-needed``,
        ``unit.area-unfit``.
    """
    if kind is not UnitKind.MUNICIPAL and parent is None:
        raise PARENT_NEEDED(pointer="/parent")
    if kind is UnitKind.MUNICIPAL and parent is not None:
        raise MUNICIPAL_HAS_NO_PARENT(pointer="/parent")
    _require_area(kind, UnitKind.DISTRICT, "division_code", division_code)
    _require_area(kind, UnitKind.ZONE, "zone_code", zone_code)
    event = UnitEstablished(
        unit=id, code=code, kind=kind, name_zh=name_zh, name_en=name_en, parent=parent,
        division_code=division_code, zone_code=zone_code, established_on=on,
    )  # fmt: skip
    unit = AssociationUnit(
        id=id, version=1, code=code, kind=kind, name_zh=name_zh, name_en=name_en, named_from=on, parent=parent,
        division_code=division_code, zone_code=zone_code, established_on=on, state=UnitState.ACTIVE,
    )  # fmt: skip
    return Change(unit, (event,), on)


def _require_area(kind: UnitKind, having: UnitKind, field: str, code: str | None) -> None:
    """A unit of the kind ``having`` names its area in ``field``, any other leaves it out."""
    if kind is having and code is None:
        raise AREA_NEEDED(pointer=f"/{field}", kind=kind, field=field)
    if kind is not having and code is not None:
        raise AREA_UNFIT(pointer=f"/{field}", kind=kind, field=field)
