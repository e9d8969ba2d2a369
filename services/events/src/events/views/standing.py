"""What stands beside a measure's figures: its state, who leads it, its tags, the independent rating, open risks."""

from dataclasses import dataclass
from datetime import date
from typing import Final
from uuid import UUID

from pydantic import BaseModel

from common.contracts.measures import Rating as AssuredRating
from common.database import Connection
from events.asked import Asked


def _last(columns: str, table: str) -> str:
    """The last word about a measure in a table of facts. $1 as_of, $2 known_at."""
    return f"""LEFT JOIN LATERAL (
    SELECT {columns} FROM {table} w
    WHERE w.plan = part.plan AND w.code = part.code AND w.recorded_at <= $2 AND w.effective_on <= $1
    ORDER BY w.effective_on DESC, w.version DESC LIMIT 1
) {table} ON true"""  # noqa: S608 - our own words


STANDINGS: Final = f"""
SELECT part.code, coalesce(measure_step.state, 'planned') AS state, measure_lead.lead_unit,
       coalesce(measure_lead.co_units, '{{}}') AS co_units, coalesce(measure_tags.tags, '{{}}') AS tags,
       assured.rating, assured.assurer, assured.effective_on AS given_on, assured.expires_on,
       coalesce(risks.open, 0) AS risks_open
FROM plan_part part
{_last("w.state", "measure_step")}
{_last("w.lead_unit, w.co_units", "measure_lead")}
{_last("w.tags", "measure_tags")}
LEFT JOIN LATERAL (
    SELECT w.* FROM assurance a JOIN assurance_word w ON w.assurance = a.id
    WHERE a.plan = part.plan AND a.subject_kind = 'measure' AND a.subject = part.code
      AND w.recorded_at <= $2 AND w.effective_on <= $1
    ORDER BY w.effective_on DESC, w.version DESC LIMIT 1
) assured ON assured.expires_on > $1
LEFT JOIN (
    SELECT coalesce(i.measure, r.subject) AS code, count(*)::int AS open
    FROM risk r
    LEFT JOIN item i ON r.subject_kind = 'item' AND i.plan = r.plan AND i.code = r.subject
    CROSS JOIN LATERAL (
        SELECT s.state FROM risk_step s
        WHERE s.risk = r.id AND s.recorded_at <= $2 AND s.effective_on <= $1
        ORDER BY s.effective_on DESC, s.version DESC LIMIT 1
    ) step
    WHERE r.plan = $3 AND step.state IN ('open', 'mitigating')
    GROUP BY 1
) risks ON risks.code = part.code
WHERE part.plan = $3 AND part.kind = 'measure'
"""  # noqa: S608 - our own words


class Assured(BaseModel):
    """An independent unit's rating that holds on the day that is asked for."""

    rating: AssuredRating
    assurer: UUID
    given_on: date
    expires_on: date
    """The first day on which it no longer holds."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a measure besides its items."""

    state: str
    """The last that was told of it: ``in-progress`` and ``closed`` follow from what stands beside it."""
    lead_unit: UUID | None
    co_units: list[UUID]
    tags: list[str]
    assured: Assured | None
    risks_open: int
    """Open or treated, of the measure and of its items."""


async def standings(connection: Connection, plan: str, question: Asked) -> dict[str, Standing]:
    """How each measure of a plan stands, by code."""
    rows = await connection.fetch(STANDINGS, question.as_of, question.known_at, plan)
    return {
        row["code"]: Standing(
            state=row["state"],
            lead_unit=row["lead_unit"],
            co_units=row["co_units"],
            tags=row["tags"],
            assured=Assured(**{name: row[name] for name in Assured.model_fields}) if row["rating"] else None,
            risks_open=row["risks_open"],
        )
        for row in rows
    }
