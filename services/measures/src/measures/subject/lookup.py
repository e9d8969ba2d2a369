"""Where it is asked what a rating or a risk is of: whether there is such a measure or item, and whose work it is."""

from datetime import date
from typing import Final

from pydantic import TypeAdapter

from common.call import Call
from common.contracts.measures import SubjectKind
from common.decision import EFFECTIVE_BEFORE_PLAN, Kind, Refusal
from common.roles import Concerned
from measures.plan.store import plan_named
from measures.subject.partakers import Partakers

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

SEEN: Final = "($1 OR partakers->'units' ?| $2::text[] OR partakers->'leads'->-1->>'unit' = ANY($3::text[]))"
"""The condition on rows with ``partakers`` that a list's scope sets; $1 to $3 are everything, units, leads."""

_ASKED: Final = f"""
SELECT {PARTAKERS} FROM (SELECT $1::text AS plan, $2::text AS subject_kind, $3::text AS subject) AS found
"""  # noqa: S608 - a text of our own
_PARTAKERS: Final = TypeAdapter(Partakers)


def concerned(partakers: Partakers) -> Concerned:
    """Whom it concerns: whoever does the work, and whoever leads the measure now."""
    return Concerned(units=partakers.units, leads=partakers.lead(None))


async def partakers_of(call: Call, *, plan: str, kind: SubjectKind, subject: str, on: date) -> Partakers:
    """Whose work a measure or an item of a plan is.

    :raises Refused: ``plan.unknown``, ``effective.before-plan``, ``subject.unknown``, also where the caller may not
        know of it.
    """
    found = await plan_named(call, plan)
    if on < found.starts_on:
        raise EFFECTIVE_BEFORE_PLAN(pointer="/effective_on", on=on, starts_on=found.starts_on)
    told = await call.service.pool.fetchval(_ASKED, plan, kind, subject)
    partakers = _PARTAKERS.validate_json(told) if told else None
    if partakers is None or f"{kind}.read" not in call.permitted(concerned(partakers)):
        raise UNKNOWN_SUBJECT(pointer="/subject", kind=kind, subject=subject)
    return partakers
