"""Every noun that has commands: things of it in every state, and the decision behind each of its commands."""

from dataclasses import replace
from datetime import date
from typing import Any, Final
from uuid import uuid4

from builders import OWNER
from common.contracts.directory import UnitKind
from common.contracts.talent import Admission, Audience, ProgrammeKind
from nouns_of_measures import ASSURANCE, EVIDENCE, ITEM, LOCAL_PLAN, MEASURE, PLAN, RISK
from offers import Noun, noun_of
from societies.unit.domain import UnitState, establish_unit
from societies.unit.store import units
from talent.programme.domain import define_programme
from talent.programme.store import programmes

_ESTABLISHED = establish_unit(
    id=OWNER.id, code="ORG", kind=UnitKind.DEPARTMENT, name_zh="组织部", name_en="Organisation", parent=uuid4(),
    division_code=None, zone_code=None, on=date(2021, 1, 1),
).state  # fmt: skip
UNIT = noun_of(
    "societies",
    units,
    {
        "active": _ESTABLISHED,
        "merged": replace(_ESTABLISHED, state=UnitState.MERGED),
        "dissolved": replace(_ESTABLISHED, state=UnitState.DISSOLVED),
    },
    {"rename": lambda unit, by, on: unit.rename(name_zh="新名", name_en="New name", on=on)},
)

_DEFINED = define_programme(
    id=uuid4(), code="CLASS", kind=ProgrammeKind.TRAINING_CLASS, name_zh="研修班", name_en="Training class",
    audience=Audience.TALENTS, admission=Admission.NOMINATION, held_every_months=12, measure="A2",
    on=date(2022, 1, 10),
).state  # fmt: skip
_ACTIVE = _DEFINED.activate(on=date(2022, 3, 1)).state
PROGRAMME = noun_of(
    "talent",
    programmes,
    {"draft": _DEFINED, "active": _ACTIVE, "retired": _ACTIVE.retire(on=date(2023, 1, 1)).state},
    {
        "activate": lambda programme, by, on: programme.activate(on=on),
        "retire": lambda programme, by, on: programme.retire(on=on),
    },
)

NOUNS: Final[dict[str, Noun[Any]]] = {
    "plan": PLAN, "local-plan": LOCAL_PLAN, "measure": MEASURE, "item": ITEM, "evidence": EVIDENCE,
    "assurance": ASSURANCE, "risk": RISK, "unit": UNIT, "programme": PROGRAMME,
}  # fmt: skip
