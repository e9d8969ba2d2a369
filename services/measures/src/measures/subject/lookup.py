"""Where it is asked what a rating or a risk is of: whether there is such a measure or item, and whose work it is."""

from datetime import date
from typing import Final, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from common.call import Call
from common.contracts.measures import PartKind, SubjectKind
from common.decision import EFFECTIVE_BEFORE_PLAN, Kind, Refusal, must_follow
from common.roles import Concerned
from common.showing import Aggregate
from common.store import Aggregates
from measures.asking import Asking
from measures.evidence.store import PARTAKEN
from measures.plan.store import plan_named
from measures.subject.partakers import Partakers

State = TypeVar("State", bound=Aggregate)
UNKNOWN_SUBJECT = Refusal(
    "subject.unknown",
    zh="方案中没有代码为 {subject} 的对象",
    en="The plan has no such {kind} with the code {subject}",
    kind=Kind.INVALID,
)

PARTAKERS: Final = """
CASE found.subject_kind WHEN 'item' THEN (
    SELECT jsonb_build_object(
        'units', array_prepend(item.owner, item.co_units), 'leads', coalesce(measure.leads, '[]'))
    FROM item LEFT JOIN measure ON measure.plan = item.plan AND measure.code = item.measure
    WHERE item.plan = found.plan AND item.code = found.subject
) ELSE (
    SELECT jsonb_build_object('units', ARRAY(
        SELECT DISTINCT unit FROM item, unnest(array_prepend(item.owner, item.co_units)) AS unit
        WHERE item.plan = found.plan AND item.measure = found.subject
    ), 'leads', coalesce(measure.leads, '[]'))
    FROM plan LEFT JOIN measure ON measure.plan = plan.code AND measure.code = found.subject
    WHERE plan.code = found.plan AND plan.measures @> jsonb_build_array(jsonb_build_object('code', found.subject))
) END
"""
"""The ``Partakers`` of the measure or item that ``found`` names; NULL if there is none."""

_THAT_ITEM: Final = "found.subject_kind = 'item' AND item.plan = found.plan AND item.code = found.subject"
_ITS_ITEMS: Final = "item.plan = found.plan AND item.measure = found.subject"
_A_MEASURE: Final = """
found.subject_kind = 'measure' AND found.subject IN (
    SELECT one->>'code' FROM plan, jsonb_array_elements(plan.measures) one WHERE plan.code = found.plan)
"""
_ABOVE_IT: Final = "measure.plan = item.plan AND measure.code = item.measure"
_LED: Final = "(measure.leads->-1->>'unit')::uuid = ANY({}::uuid[])"
WORKED_ON: Final = (
    f"EXISTS (SELECT FROM item WHERE {_THAT_ITEM} AND ({PARTAKEN}))",
    f"{_A_MEASURE} AND EXISTS (SELECT FROM item WHERE {_ITS_ITEMS} AND ({PARTAKEN}))",
)
"""How one of some units does the work of what ``found`` names: an item, or a measure, of whose items any is enough."""
LED: Final = (
    f"EXISTS (SELECT FROM item JOIN measure ON {_ABOVE_IT} WHERE {_THAT_ITEM} AND {_LED})",
    f"{_A_MEASURE} AND (plan, subject) IN (SELECT plan, code FROM measure WHERE {_LED})",  # noqa: S608 - our own words
)
"""How one of some units leads it now: the measure of an item, or the measure itself."""

_ASKED: Final = f"""
SELECT {PARTAKERS} AS partakers, (
    SELECT added_on FROM item WHERE plan = found.plan AND code = found.subject AND found.subject_kind = 'item'
) AS added_on FROM (SELECT $1::text AS plan, $2::text AS subject_kind, $3::text AS subject) AS found
"""  # noqa: S608 - a text of our own
_PARTAKERS: Final = TypeAdapter(Partakers)


def concerned(partakers: Partakers) -> Concerned:
    """Whom it concerns: whoever does the work, and whoever leads the measure now."""
    return Concerned(units=partakers.units, leads=partakers.lead(None))


async def partakers_of(call: Call, *, plan: str, kind: SubjectKind, subject: str, on: date) -> Partakers:
    """Whose work a measure or an item of a plan is.

    :raises Refused: ``plan.unknown``, ``effective.before-plan``, ``subject.unknown``, also where the caller may not
        know of it, ``effective.before-predecessor`` before the measure binds, or the item was listed.
    """
    found = await plan_named(call, plan)
    if on < found.starts_on:
        raise EFFECTIVE_BEFORE_PLAN(pointer="/effective_on", on=on, starts_on=found.starts_on)
    (asked,) = await call.service.pool.fetch(_ASKED, plan, kind, subject)
    partakers = _PARTAKERS.validate_json(asked["partakers"]) if asked["partakers"] else None
    if partakers is None or f"{kind}.read" not in call.permitted(concerned(partakers)):
        raise UNKNOWN_SUBJECT(pointer="/subject", kind=kind, subject=subject)
    must_follow(on, asked["added_on"] or found.binds_from(PartKind.MEASURE, subject) or on)
    return partakers


async def listed(
    call: Call,
    store: Aggregates[State],
    *,
    plan: str,
    subject: str | None,
    state: str | None,
    after: tuple[str, UUID | str | None],
    limit: int,
    own: tuple[str, ...] = (),
) -> list[State]:
    """Ratings or risks of a plan that the caller may know of; one more than ``limit`` if there are more.

    Each way in which one may concern the caller is followed for itself, along indexes that fit it; whose work it is is
    told of the page alone.

    :param after: the column by which they are in order, and where in it the page before ended.
    :param own: how they concern one of some units otherwise than by what they are of.
    """
    asking, scope, (column, last), table = Asking(), store.scope(call), after, store.codec.table.name
    asking.where("plan = {}", plan)
    if subject is not None:
        asking.where("subject = {}", subject)
    if state is not None:
        asking.where("state = {}", state)
    if last is not None:
        asking.where(column + " > {}", last)
    ways = ["true"]
    if not scope.everything:
        ways = [asking.placed(way, scope.units) for way in (*WORKED_ON, *own)]
        ways += [asking.placed(way, scope.leads) for way in LED]
    page = f"ORDER BY {column} LIMIT {limit + 1:d}"
    theirs = " UNION ".join(f"(SELECT id FROM {table} found WHERE {asking} AND {way} {page})" for way in ways)  # noqa: S608
    rows = await call.service.pool.fetch(
        f"SELECT {store.selection} FROM {table} found WHERE id IN ({theirs}) {page}",  # noqa: S608 - our own words
        *asking.parameters,
    )
    return [store.codec.state_of(row) for row in rows]
