"""Both clocks through the real gateway: what was attained when, by what was known when."""

from typing import Any

import pytest

from living import Living

pytestmark = pytest.mark.xdist_group("journeys")

PLAN, MEASURE, OWNER, OFFICE = "CQ-KX-2021-2025", "D6", "CQKX-XH", "CQKX-ZZ"


class Course:
    """One item and those who deal with it, each in the name of their own unit."""

    def __init__(self, living: Living, item_id: str) -> None:
        self._living = living
        self._item_id = item_id
        self.position = ""

    @classmethod
    async def begun(cls, living: Living, code: str) -> "Course":
        """An item with two milestones, put on the list, handed over, received and begun in 2022."""
        milestone = {"kind": "qualitative", "required": True, "weight": "1", "planned_on": "2022-12-31"}
        item = {
            "plan": PLAN, "measure": MEASURE, "code": code, "title_zh": "双时点事项（示例）",
            "title_en": "Both clocks (sample)",
            "owner": OWNER, "problem": "问题", "deliverable": "成果", "effect": "成效", "focus": "key-point",
            "planned_start_on": "2022-01-01", "due_on": "2023-12-31", "effective_on": "2022-01-05",
            "milestones": [
                milestone | {"number": number, "title_zh": f"节点{number}", "title_en": f"Milestone {number}"}
                for number in (1, 2)
            ],
        }  # fmt: skip
        async with living.client("reform-office", OFFICE) as office:
            reply = await office.post("/api/v1/items", json=item)
        assert reply.status_code == 201, reply.text
        course = cls(living, reply.json()["id"])
        await course.does("reform-office", "assign", effective_on="2022-01-10")
        await course.does("unit-reporter", "acknowledge", effective_on="2022-01-12")
        await course.does("unit-reporter", "start", effective_on="2022-02-01")
        return course

    async def does(self, role: str, path: str, **body: Any) -> None:
        """One command, in the name of the owner or of the office."""
        unit = OWNER if role == "unit-reporter" else OFFICE
        async with self._living.client(role, unit) as client:
            reply = await client.post(f"/api/v1/items/{self._item_id}/{path}", json=body)
        assert reply.status_code == 200, reply.text
        self.position = reply.json()["position"]

    async def attains(self, number: int, attained_on: str, *, on: str) -> str:
        """Reported and verified; the instant at which the verification was recorded."""
        await self.does("unit-reporter", f"milestones/{number}/report", attained_on=attained_on, effective_on=on)
        await self.does("reform-office", f"milestones/{number}/verify", effective_on=on)
        return await self.recorded_at()

    async def recorded_at(self) -> str:
        """When the last thing became known."""
        async with self._living.client("reform-office", OFFICE) as client:
            history = (await client.get(f"/api/v1/items/{self._item_id}/history")).json()
        assert history["chain"] == "ok"
        instant: str = history["events"][-1]["recorded_at"]
        return instant

    async def verified(self, **asked: str) -> int:
        """How many milestones of the measure count, as asked, once the view knows of the last command."""
        async with self._living.client() as reader:
            reply = await reader.get(
                f"/api/v1/progress/measures/{MEASURE}",
                params={"plan": PLAN, "min_position": self.position, **asked},
            )
        count: int = reply.json()["measure"]["milestones"]["verified"]
        return count


async def test_a_revoked_milestone_leaves_the_year_but_not_what_was_known_before(living: Living) -> None:
    course = await Course.begun(living, "D6-91")
    end = {"as_of": "2022-12-31"}
    before = await course.verified(**end)
    first = await course.attains(1, "2022-05-01", on="2022-06-01")
    second = await course.attains(2, "2022-08-01", on="2022-09-01")
    assert await course.verified(**end) == before + 2
    assert await course.verified(**end, known_at=first) == before + 1

    await course.does(
        "reform-office", "milestones/2/revoke", reason="证据不足", authority="示例 2023-1", effective_on="2023-01-10"
    )
    await course.attains(2, "2023-02-01", on="2023-03-01")
    assert await course.verified(**end) == before + 1
    assert await course.verified(**end, known_at=second) == before + 2
    assert await course.verified(as_of="2023-12-31") >= before + 2
