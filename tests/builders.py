"""Units, plans, items, calls and records for tests, lawful unless a test says otherwise; the days lie in 2021–2023."""

import hashlib
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import asyncpg

from common.call import Call, Service
from common.cloudevents import GENESIS, Circumstances, Recorded, headers_of, linked
from common.contracts import Event
from common.contracts.directory import UnitEstablished, UnitKind
from common.contracts.measures import Aspect, Focus, Measure, MilestoneKind, Phase, PhaseMode
from common.decision import Unit
from common.roles import permissions_of
from measures.item.addition import add_item
from measures.item.domain import Item
from measures.item.milestone import PlannedMilestone
from measures.plan.checklist import Checklist
from measures.plan.domain import Plan, define_plan

PUBLIC_URL = "http://kegai.test"
NOON = datetime(2026, 11, 23, 4, tzinfo=UTC)
"""A present instant: noon in Shanghai."""

PARENTS = {"CQ": None, "ORG": "CQ", "ORG-1": "ORG", "SOC": "CQ", "SOC-1": "SOC", "FIN": "CQ", "YB": "CQ"}
"""The city, its departments ORG, SOC and FIN, an office below two of them, and a district."""


def unit_id(code: str) -> UUID:
    """The id of one of the test's units, the same in every run."""
    return uuid5(NAMESPACE_URL, f"urn:kegai:test:unit:{code}")


def _unit(code: str) -> Unit:
    lineage = [code]
    while (parent := PARENTS[lineage[-1]]) is not None:
        lineage.append(parent)
    below = {code} | {other for other in PARENTS if code in _above(other)}
    return Unit(unit_id(code), code, tuple(map(unit_id, lineage)), frozenset(map(unit_id, below)))


def _above(code: str) -> set[str]:
    parent = PARENTS[code]
    return {parent} | _above(parent) if parent else set()


UNITS = {code: _unit(code) for code in PARENTS}
OWNER, CO_UNIT, JUDGE = UNITS["ORG"], UNITS["FIN"], UNITS["SOC"]
"""Who owns the item of ``an_item``, who helps, and who may judge it."""


def directory_history() -> list[Recorded]:
    """What societies has told of the units."""
    return [
        recorded(
            UnitEstablished(
                unit=unit.id,
                code=unit.code,
                kind=UnitKind.MUNICIPAL if unit.code == "CQ" else UnitKind.DEPARTMENT,
                name_zh=f"单位{unit.code}",
                name_en=f"Unit {unit.code}",
                parent=unit.lineage[1] if len(unit.lineage) > 1 else None,
                established_on=date(2021, 1, 1),
            ),
            about=circumstances("unit", unit.id, 1),
        )
        for unit in UNITS.values()
    ]


def circumstances(aggregate_type: str, aggregate_id: UUID, version: int, **changed: Any) -> Circumstances:
    """What surrounds an event that was recorded a second per version after ``NOON``."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "aggregate_type": aggregate_type,
        "aggregate_id": aggregate_id,
        "version": version,
        "recorded_at": NOON + timedelta(seconds=version % 86_400),
        "effective_on": date(2022, 6, 1),
        "actor": "p-1",
    }
    return Circumstances(**(told | changed))


def recorded(event: Event, about: Circumstances) -> Recorded:
    """An event as a projection is given it."""
    shared = ("id", "aggregate_type", "aggregate_id", "version", "recorded_at", "effective_on", "traceparent")
    return Recorded(event=event, **{name: getattr(about, name) for name in shared})


def wire(event: Event, about: Circumstances, previous: bytes = GENESIS) -> tuple[list[tuple[str, bytes]], bytes]:
    """The headers and the value of an event's record, as the relay sends them."""
    payload, headers = event.model_dump_json().encode(), headers_of(event, about, public_url=PUBLIC_URL)
    linked(previous, headers, payload)
    return [(name, text.encode()) for name, text in headers.items()], payload


def call_of(pool: asyncpg.Pool, *, role: str = "municipal-admin", unit: str | None = "CQ", **changed: Any) -> Call:
    """One request by a principal, without the door: to ask the store directly."""
    told: dict[str, Any] = {
        "service": Service("measures", pool, PUBLIC_URL),
        "principal": "p-1",
        "permission": "item.read",
        "permissions": permissions_of(frozenset({role})),
        "caller_unit": UNITS[unit] if unit else None,
        "now": datetime.now(UTC),
        "route": "POST /tests",
        "body_hash": hashlib.sha256(b"{}").digest(),
    }
    return Call(**(told | changed))


# ── a plan ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan_words(**changed: Any) -> dict[str, Any]:
    """What ``define_plan`` is told: a plan of 2021–2025 with two aspects, three measures and three phases."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "code": "PLAN-1",
        "title_zh": "实施方案",
        "title_en": "Implementation plan",
        "starts_on": date(2021, 1, 1),
        "ends_on": date(2025, 12, 31),
        "aspects": tuple(Aspect(code=code, name_zh=f"方面{code}", name_en=f"Aspect {code}") for code in "AB"),
        "measures": tuple(
            Measure(code=code, aspect=code[0], name_zh=f"举措{code}", name_en=f"Measure {code}")
            for code in ("A1", "A2", "B1")
        ),
        "phases": (
            a_phase("P0", PhaseMode.PREPARATION, date(2021, 1, 1), date(2021, 12, 31)),
            a_phase("P1", PhaseMode.PILOT, date(2022, 1, 1), date(2022, 12, 31)),
            a_phase("P2", PhaseMode.FULL, date(2023, 1, 1), date(2025, 12, 31)),
        ),
        "on": date(2021, 1, 10),
    }
    return told | changed


def a_phase(code: str, mode: PhaseMode, starts_on: date, ends_on: date) -> Phase:
    """A phase of a plan."""
    return Phase(
        code=code, name_zh=f"阶段{code}", name_en=f"Phase {code}", mode=mode, starts_on=starts_on, ends_on=ends_on
    )


def a_plan(**changed: Any) -> Plan:
    """A plan that was just put down."""
    return define_plan(**plan_words(**changed)).state


def an_adopted_plan(**changed: Any) -> Plan:
    """A plan that was adopted on 2021-02-01."""
    return a_plan(**changed).adopt(issuer="市委深改办", document_number="2021-1", on=date(2021, 2, 1)).state


def a_plan_in_force(**changed: Any) -> Plan:
    """A plan whose pilot phase was entered on 2022-03-01."""
    return an_adopted_plan(**changed).enter_phase("P1", on=date(2022, 3, 1)).state


def a_plan_in_final_evaluation(**changed: Any) -> Plan:
    """A plan whose final evaluation began on 2026-01-05."""
    return a_plan_in_force(**changed).start_final_evaluation(on=date(2026, 1, 5)).state


SETTLED = Checklist(open=(), carried=(), settled_on=None)
"""Of a plan in which nothing ever was."""


def a_closed_plan(**changed: Any) -> Plan:
    """A plan that was closed on 2026-06-30, with nothing to be carried over."""
    return a_plan_in_final_evaluation(**changed).close(SETTLED, successor=None, on=date(2026, 6, 30)).state


def plan_body(**changed: Any) -> dict[str, Any]:
    """The plan of ``plan_words`` as a request says it."""
    told = plan_words()
    body: dict[str, Any] = {name: told[name] for name in ("code", "title_zh", "title_en")}
    body |= {name: told[name].isoformat() for name in ("starts_on", "ends_on")}
    body |= {name: [one.model_dump(mode="json") for one in told[name]] for name in ("aspects", "measures", "phases")}
    return body | {"effective_on": told["on"].isoformat()} | changed


# ── an item ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def a_milestone(number: int = 1, **changed: Any) -> PlannedMilestone:
    """A milestone that is planned for the middle of 2022."""
    told: dict[str, Any] = {
        "number": number,
        "title_zh": f"节点{number}",
        "title_en": f"Milestone {number}",
        "kind": MilestoneKind.QUALITATIVE,
        "required": True,
        "weight": Decimal(1),
        "planned_on": date(2022, 6, 30),
    }
    return PlannedMilestone(**(told | changed))


def item_words(**changed: Any) -> dict[str, Any]:
    """What ``add_item`` is told: an item of A1, owned by ORG with the help of FIN, with one required milestone."""
    told: dict[str, Any] = {
        "id": uuid4(),
        "plan": "PLAN-1",
        "plan_starts_on": date(2021, 1, 1),
        "measure": "A1",
        "code": "A1-01",
        "title_zh": "改革事项",
        "title_en": "Reform item",
        "owner": OWNER.id,
        "co_units": (CO_UNIT.id,),
        "responsible_post": "处长",
        "problem": "问题",
        "deliverable": "成果",
        "effect": "成效",
        "focus": Focus.KEY_POINT,
        "planned_start_on": date(2022, 1, 1),
        "due_on": date(2022, 12, 31),
        "milestones": (a_milestone(),),
        "on": date(2022, 1, 5),
    }
    return told | changed


def a_draft_item(**changed: Any) -> Item:
    """An item that was just put on the list, on 2022-01-05."""
    return add_item(**item_words(**changed)).state


def an_assigned_item(**changed: Any) -> Item:
    """An item that was handed to its owner on 2022-01-10."""
    return a_draft_item(**changed).assign(by=None, on=date(2022, 1, 10)).state


def an_item_in_progress(**changed: Any) -> Item:
    """An item on which work began on 2022-02-01."""
    received = an_assigned_item(**changed).acknowledge(by=OWNER, on=date(2022, 1, 20)).state
    return received.start(by=OWNER, on=date(2022, 2, 1)).state


def an_item_with_a_report(**changed: Any) -> Item:
    """An item whose first milestone was reported on 2022-06-10 as attained on 2022-06-01."""
    return an_item_in_progress(**changed).report_milestone(
        1, attained_on=date(2022, 6, 1), note=None, by=OWNER, on=date(2022, 6, 10)
    ).state  # fmt: skip


def an_item_with_a_verified_milestone(**changed: Any) -> Item:
    """An item whose first milestone was verified on 2022-06-20."""
    return an_item_with_a_report(**changed).verify_milestone(1, by=JUDGE, on=date(2022, 6, 20)).state


def an_item_reported_done(**changed: Any) -> Item:
    """An item, its first milestone verified, that its owner reported done on 2022-07-01."""
    return an_item_with_a_verified_milestone(**changed).report_done(claim="完成", by=OWNER, on=date(2022, 7, 1)).state


def a_closed_item(**changed: Any) -> Item:
    """An item that was struck off on 2022-07-10."""
    return an_item_reported_done(**changed).close(by=JUDGE, on=date(2022, 7, 10)).state


_numbers = count(1)


def item_body(**changed: Any) -> dict[str, Any]:
    """The item of ``item_words`` as a request says it, under a code that no other has."""
    told = item_words()
    texts = ("plan", "measure", "title_zh", "title_en", "responsible_post", "problem", "deliverable", "effect", "focus")
    body: dict[str, Any] = {name: told[name] for name in texts}
    body |= {"code": f"A1-{next(_numbers):03}", "owner": "ORG", "co_units": ["FIN"]}
    body |= {name: told[name].isoformat() for name in ("planned_start_on", "due_on")}
    return body | {"milestones": [milestone_body()], "effective_on": told["on"].isoformat()} | changed


def milestone_body(number: int = 1, **changed: Any) -> dict[str, Any]:
    """A milestone of ``a_milestone`` as a request says it."""
    told = a_milestone(number)
    body = {name: getattr(told, name) for name in ("number", "title_zh", "title_en", "kind", "required")}
    return body | {"weight": "1", "planned_on": told.planned_on.isoformat()} | changed
