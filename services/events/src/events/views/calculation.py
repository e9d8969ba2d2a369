"""The one calculation of progress, from facts to items and from items to measures, for any day and knowledge."""

from collections.abc import Sequence
from typing import Final

WORD: Final = """(
    SELECT w.status FROM milestone_word w
    WHERE w.item = m.item AND w.number = m.number AND w.recorded_at <= $2 AND w.effective_on <= $1
      AND NOT EXISTS (
          SELECT FROM milestone_word later
          WHERE later.item = w.item AND later.number = w.number
            AND later.replaces = w.version AND later.recorded_at <= $2
      )
    ORDER BY w.effective_on DESC, w.version DESC LIMIT 1
)"""
"""What was last said of whether milestone ``m`` is attained. $1 as_of, $2 known_at."""

LEFT: Final = """
EXISTS (
    SELECT FROM milestone_end e
    WHERE e.item = m.item AND e.number = m.number AND e.recorded_at <= $2 AND e.effective_on <= $1
)
"""
"""Whether milestone ``m`` has left the denominators."""

STATE: Final = """
CROSS JOIN LATERAL (
    SELECT s.state FROM item_step s
    WHERE s.item = i.id AND s.recorded_at <= $2 AND s.effective_on <= $1
    ORDER BY s.effective_on DESC, s.version DESC LIMIT 1
) step
"""
"""The state of item ``i``; one that was not added yet has none, and is not there. $1 as_of, $2 known_at."""

LISTED: Final = "i.id AS item, i.plan, i.measure, i.code, i.local_plan, i.parent, i.progress_basis, step.state"
"""What an item is, and its state."""

ITEMS: Final = f"""
SELECT {LISTED}, done.*
FROM item i
{STATE}
CROSS JOIN LATERAL (
    SELECT (count(*) FILTER (WHERE counts))::int AS milestones,
           (count(*) FILTER (WHERE counts AND status IN ('reported', 'verified')))::int AS milestones_reported,
           (count(*) FILTER (WHERE counts AND status = 'verified'))::int AS milestones_verified,
           sum(CASE WHEN counts AND status IN ('reported', 'verified') THEN weight ELSE 0 END)
               / nullif(sum(CASE WHEN counts THEN weight ELSE 0 END), 0) AS reported,
           sum(CASE WHEN counts AND status = 'verified' THEN weight ELSE 0 END)
               / nullif(sum(CASE WHEN counts THEN weight ELSE 0 END), 0) AS verified,
           sum(CASE WHEN status IN ('reported', 'verified') THEN weight ELSE 0 END)
               / nullif(sum(weight), 0) AS reported_of_all,
           sum(CASE WHEN status = 'verified' THEN weight ELSE 0 END) / nullif(sum(weight), 0) AS verified_of_all
    FROM (
        SELECT m.weight, word.status, NOT {LEFT} AS counts
        FROM milestone m
        LEFT JOIN LATERAL {WORD} word ON true
        WHERE m.item = i.id AND m.recorded_at <= $2 AND m.effective_on <= $1
    ) milestone
) done
"""  # noqa: S608 - our own words
"""Progress by item, of local ones too. $1 as_of, $2 known_at.

With w the weight of a milestone that counts, and c 1 if it is attained and else 0: item = Σw·c / Σw. Where Σw is 0
or nothing is there, the value is null: no data, which is not the same as 0. ``…_of_all`` is the same of all milestones.
"""

OUT: Final = "('cancelled', 'merged')"
"""In these states an item has left the denominators; it stays listed, and in the original scope."""


def of_own_or_below(share: str) -> str:
    """An item's share; where local items are its basis, the mean of theirs, and never its own milestones' too."""
    counting = "" if share.endswith("_of_all") else f"AND below.state NOT IN {OUT}"
    return f"""CASE progress_basis WHEN 'milestones' THEN {share} ELSE (
               SELECT avg(below.{share}) FROM {{source}} below WHERE below.parent = i.item {counting}
           ) END AS {share}"""  # noqa: S608 - our own words


def _mean(share: str) -> str:
    """The weighted mean of a share: Σw·s / Σw of all that have one, and null where Σw is 0."""
    counting = f"{share} IS NOT NULL" + ("" if share.endswith("_of_all") else f" AND state NOT IN {OUT}")
    return f"""round(
           sum({share} * weight) FILTER (WHERE {counting}) / nullif(sum(weight) FILTER (WHERE {counting}), 0), 15
       ) AS {share}"""


def means(shares: Sequence[str]) -> str:
    """The shares of a measure, each the weighted mean of its items'."""
    return ",\n       ".join(map(_mean, shares))


def municipal(shares: Sequence[str], *others: str) -> str:
    """The municipal items of measures, each with its weight and shares; to be filled with what ``MEASURES`` names."""
    columns = ",\n           ".join((*others, *map(of_own_or_below, shares)))
    return f"""(
    SELECT plan, measure, state, coalesce((set_last.weights ->> code)::numeric, 1) AS weight,
           {columns}
    FROM {{source}} i
    LEFT JOIN (
        SELECT plan, measure, jsonb_object_agg(code, weight) AS weights
        FROM (
            SELECT DISTINCT ON (plan, parent, code) plan, parent AS measure, code, weight
            FROM sibling_weight WHERE siblings = 'items' {{weighed}}
            ORDER BY plan, parent, code, effective_on DESC, version DESC
        ) weighed
        GROUP BY plan, measure
    ) set_last USING (plan, measure)
    WHERE local_plan IS NULL {{among}}
) item"""  # noqa: S608 - our own words


KINDS: Final = ("reported", "verified", "reported_of_all", "verified_of_all")

COUNTED: Final = f"""
       (count(*) FILTER (WHERE state NOT IN {OUT}))::int AS items,
       jsonb_build_object(
           'draft', count(*) FILTER (WHERE state = 'draft'),
           'assigned', count(*) FILTER (WHERE state = 'assigned'),
           'acknowledged', count(*) FILTER (WHERE state = 'acknowledged'),
           'in-progress', count(*) FILTER (WHERE state = 'in-progress'),
           'reported-done', count(*) FILTER (WHERE state = 'reported-done'),
           'verified-closed', count(*) FILTER (WHERE state = 'verified-closed'),
           'cancelled', count(*) FILTER (WHERE state = 'cancelled'),
           'merged', count(*) FILTER (WHERE state = 'merged'),
           'carried-over', count(*) FILTER (WHERE state = 'carried-over')
       ) AS by_state,
       coalesce(sum(milestones) FILTER (WHERE state NOT IN {OUT}), 0)::int AS milestones,
       coalesce(sum(milestones_reported) FILTER (WHERE state NOT IN {OUT}), 0)::int AS milestones_reported,
       coalesce(sum(milestones_verified) FILTER (WHERE state NOT IN {OUT}), 0)::int AS milestones_verified,
       {means(KINDS)}
"""
"""How many items there are, in which states, with how many milestones, and the means of their shares."""

MEASURES: Final = f"""
SELECT plan, measure, {COUNTED}
FROM {municipal(KINDS, "milestones", "milestones_reported", "milestones_verified")}
GROUP BY plan, measure
"""  # noqa: S608 - our own words
"""Progress by measure: the mean of its municipal items, each with the weight that was set for it last, or 1.

One without data is left out of it, one that is cancelled or merged out of all but the original scope, and one of a
local plan counts only in the item that it is part of. A measure's weights are looked up as one object: whatever the
planner thinks of how many there are, they are gone through once. To be filled with the ``source`` of its items, with
what is ``among`` them, and with which weights are ``weighed``.
"""
