"""The story that comes with the seeds, as readers of the views meet it: figures by hand, on two days of its course."""

from typing import Any

import pytest

from courses import by_state, figures_of
from eventually import eventually
from living import Living

pytestmark = pytest.mark.xdist_group("journeys")

PLAN = "SF-2021-2025"
AT_THE_END_OF_2022 = {
    # items, milestones (counted, reported, verified), progress and original scope (reported, verified)
    # A1-01 by Yubei's items: 1, 1, 1/4; one merged at 0. A1-02: 2/4, its second milestone was revoked.
    # ((1 + 1 + 1/4)/3 + 2/4)/2; with the one that was merged ((1 + 1 + 1/4 + 0)/4 + 2/4)/2
    "A1": (2, (5, 3, 3), ("0.625000", "0.625000"), ("0.531250", "0.531250")),
    "A2": (3, (6, 1, 1), ("0.083333", "0.083333"), ("0.083333", "0.083333")),  # (1/4 + 0 + 0)/3
    "A": (5, (11, 4, 4), ("0.354167", "0.354167"), ("0.307292", "0.307292")),
}
AT_THE_END_OF_2023 = {
    # A1-01 by the items of three districts: 1, 1, 1, 1/2, 0. A1-02: all, after it was reopened. Weighted 2 and 1.
    # (2·(1 + 1 + 1 + 1/2 + 0)/5 + 1)/3; with the one that was merged (2·(1 + 1 + 1 + 0 + 1/2 + 0)/6 + 1)/3
    "A1": (2, (5, 4, 4), ("0.800000", "0.800000"), ("0.722222", "0.722222")),
    "A2": (2, (5, 3, 3), ("0.416667", "0.416667"), ("0.277778", "0.277778")),  # (2/4 + 1/3)/2; (2/4 + 0 + 1/3)/3
    "A": (4, (10, 7, 7), ("0.608333", "0.608333"), ("0.500000", "0.500000")),
    "B1": (2, (4, 2, 2), ("0.500000", "0.500000"), ("0.500000", "0.500000")),  # (1/2 + 1/2)/2
    "B2": (3, (7, 3, 3), ("0.388889", "0.388889"), ("0.388889", "0.388889")),  # (2/3 + 1/2 + 0/2)/3
    "B3": (1, (2, 1, 1), ("0.500000", "0.500000"), ("0.500000", "0.500000")),  # by the revision, half done
    "B": (6, (13, 6, 6), ("0.444444", "0.444444"), ("0.444444", "0.444444")),  # weighted 1, 2, 1
    PLAN: (10, (23, 13, 13), ("0.542778", "0.542778"), ("0.477778", "0.477778")),  # weighted 60, 40
}


async def _plan(living: Living, day: str) -> dict[str, Any]:
    async with living.client() as reader:
        reply = await reader.get(f"/api/v1/progress/plans/{PLAN}", params={"as_of": day})
    assert reply.status_code == 200, reply.text
    plan: dict[str, Any] = reply.json()["plan"]
    return plan


async def test_its_figures_are_those_that_were_computed_by_hand(living: Living) -> None:
    then, later = await _plan(living, "2022-12-31"), await _plan(living, "2023-12-31")
    assert {code: one for code, one in figures_of(then) if code in AT_THE_END_OF_2022} == AT_THE_END_OF_2022
    assert dict(figures_of(later)) == AT_THE_END_OF_2023
    assert "B3" not in dict(figures_of(then))
    assert (then["phase"]["name_en"], later["phase"]["name_en"]) == (
        "Pilot in one district",
        "Carried out in three districts",
    )


def _rated(plan: dict[str, Any]) -> dict[str, str]:
    return {one["code"]: one["rated"]["rating"] for aspect in plan["aspects"] for one in aspect["measures"]}


async def test_its_measures_are_rated_as_they_stood(living: Living) -> None:
    spring, late = await _plan(living, "2023-04-01"), await _plan(living, "2025-10-31")
    # A1: what was wrongly verified counts no more, and was due in 2022. B2 is suspended.
    assert _rated(spring) == {"A1": "red", "A2": "green", "B1": "green", "B2": "grey", "B3": "green"}
    # A2: 1 and 1/3 where all was due by June. B2: 1, 1 and 1/3. B1 is accepted, A1 before its judges.
    assert _rated(late) == {"A1": "green", "A2": "red", "B1": "done", "B2": "red", "B3": "green"}
    summer = await _plan(living, "2023-07-01")
    (of_a2,) = (one for one in summer["aspects"][0]["measures"] if one["code"] == "A2")
    assert (of_a2["assured"]["rating"], of_a2["risks_open"]) == ("yellow", 1)


async def test_it_has_ended_and_leaves_the_municipal_plan_alone(living: Living) -> None:
    over = await _plan(living, "2026-11-01")
    assert over["state"] == "closed"
    assert by_state(over) == {
        "A1": {"verified-closed": 2},
        "A2": {"verified-closed": 1, "merged": 1, "carried-over": 1},
        "B1": {"verified-closed": 1, "cancelled": 1},
        "B2": {"verified-closed": 2, "carried-over": 1},
        "B3": {"verified-closed": 1},
    }
    async with living.client() as reader:
        assert (await reader.get("/api/v1/progress/plans/CQ-KX-2021-2025")).json()["plan"]["items"] == 95
        assert "CQ-KX-2021-2025" in (await reader.get("/")).text
        assert (await reader.get("/", params={"plan": PLAN, "as_of": "2023-12-31"})).status_code == 200


async def test_two_ratings_have_run_out_by_the_clock(living: Living) -> None:
    async with living.client("auditor") as reader:

        async def have_run_out() -> bool:
            listed = (await reader.get("/api/v1/assurances", params={"plan": PLAN})).json()["items"]
            return {one["subject"]: one["state"] for one in listed} == {"A2": "expired", "A2-01": "expired"}

        await eventually(have_run_out, seconds=60)  # it looks three times a minute
