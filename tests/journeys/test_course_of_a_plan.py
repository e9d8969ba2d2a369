"""One plan from its adoption to its closing, through the real gateway: what was told, and the figures by hand."""

import os
from pathlib import Path
from typing import Any

import pytest

from common.contracts.measures import MediaType
from courses import Course, We, by_state, figures_of, ratings_of
from living import Living
from papers import FILES, PDF

pytestmark = pytest.mark.xdist_group("journeys")

APPROVED = Path(__file__).with_name("course_of_a_plan.txt")
"""What this plan's course tells; KEGAI_APPROVE=1 writes it anew, and whoever commits it approves it."""

PLAN = "JN-2021-2025"
NEXT = "JN-2026-2030"
PHASES = (("P0", "preparation", 2021, 2021), ("P1", "pilot", 2022, 2022), ("P2", "full", 2023, 2025))


def named(code: str) -> dict[str, str]:
    return {"code": code, "name_zh": f"{code}（示例）", "name_en": f"{code} (sample)"}


def titled(code: str) -> dict[str, str]:
    return {"title_zh": f"{code}（示例）", "title_en": f"{code} (sample)"}


def a_plan(code: str, first: int, last: int, *phases: tuple[str, str, int, int]) -> dict[str, Any]:
    """Two aspects; A has the measure A1, B has B1 and B2."""
    return {
        **titled(code), "code": code, "starts_on": f"{first}-01-01", "ends_on": f"{last}-12-31",
        "aspects": [named("A"), named("B")],
        "measures": [named(measure) | {"aspect": measure[0]} for measure in ("A1", "B1", "B2")],
        "phases": [
            named(phase) | {"mode": mode, "starts_on": f"{since}-01-01", "ends_on": f"{until}-12-31"}
            for phase, mode, since, until in phases
        ],
    }  # fmt: skip


def an_item(code: str, owner: str, *weights: int, **more: Any) -> dict[str, Any]:
    """Due by the end of 2024, with milestones 1, 2, … of these weights, all required."""
    milestone = {"kind": "qualitative", "required": True, "planned_on": "2024-06-30"}
    return {
        **titled(code), "plan": PLAN, "measure": code.removeprefix("YB-")[:2], "code": code, "owner": owner,
        "problem": "问题", "deliverable": "成果", "effect": "成效", "focus": "key-point",
        "planned_start_on": "2022-01-01", "due_on": "2024-12-31",
        "milestones": [
            milestone | titled(f"{code}/{number}") | {"number": number, "weight": str(weight)}
            for number, weight in enumerate(weights, 1)
        ],
    } | more  # fmt: skip


DECIDED = {"reason": "任务合并", "authority": "会议纪要（示例）"}


async def test_a_plan_from_adoption_to_closing(living: Living) -> None:
    we = We.of(await Course.of(living))
    await the_plan_is_adopted(we)
    await items_are_listed_and_begun(we)
    await one_is_verified_wrongly(we)
    before_the_doubt = await we.course.known_since("item A1-02")
    await the_wrong_verification_is_revoked(we)
    await one_is_returned(we)
    await a_measure_is_accepted(we)
    await one_is_extended_and_one_given_up(we)
    await the_plan_is_closed(we)

    await tells_what_was_approved(we.course)
    await shows_what_was_computed_by_hand(we.course, before_the_doubt)


async def the_plan_is_adopted(we: We) -> None:
    """2021: the plan is adopted and its measures are launched."""
    await we.office.puts_down("plan of 2021", on="2021-12-06", **a_plan(PLAN, 2021, 2025, *PHASES))
    await we.course.learn_measures(PLAN)
    await we.office.cannot("launch", "measure A1", code="measure.plan-not-adopted", on="2021-12-10")
    await we.office.does("adopt", "plan of 2021", on="2021-12-20", issuer="发文机关（示例）", document_number="2021-1")
    await we.office.does("phases/P0/enter", "plan of 2021", on="2021-12-21")
    await we.office.does("scoring-policy", "plan of 2021", on="2021-12-27", evidence_from="2023-01-01")
    for measure in ("measure A1", "measure B1", "measure B2"):
        await we.office.does("launch", measure, on="2021-12-27")
        await we.office.does("lead", measure, on="2021-12-27", lead_unit="CQKX-CX", co_units=["CQKX-DY"])


async def items_are_listed_and_begun(we: We) -> None:
    """2022: items are listed, handed over and begun; Yubei files a plan of its own."""
    await we.office.does("phases/P1/enter", "plan of 2021", on="2022-01-04")
    await we.office.puts_down("item A1-01", on="2022-01-05", **an_item("A1-01", "CQKX-XH", 1, 3))
    await we.office.puts_down("item A1-02", on="2022-01-05", **an_item("A1-02", "CQKX-KP", 1, 1))
    await we.office.puts_down("item B1-01", on="2022-01-05", **an_item("B1-01", "CQKX-XH", 1, 1, 2))
    await we.office.puts_down(
        "item B1-02", on="2022-01-05", **an_item("B1-02", "KX-YUBEI", 1, progress_basis="local-items")
    )
    await we.office.puts_down("item B2-01", on="2022-01-05", **an_item("B2-01", "CQKX-KP", 1))
    await we.office.puts_down("item B2-02", on="2022-01-05", **an_item("B2-02", "CQKX-KP", 1, 1, 2))
    await we.yubei.puts_down("local-plan of Yubei", on="2022-02-15", **YUBEI)
    await we.yubei.does("submit", "local-plan of Yubei", on="2022-02-20")
    await we.office.does("return", "local-plan of Yubei", on="2022-02-25", reason="期限与试点阶段不符")
    await we.yubei.does("redraft", "local-plan of Yubei", on="2022-02-27", **REDRAFTED)
    await we.yubei.does("submit", "local-plan of Yubei", on="2022-02-28")
    await we.office.does("file", "local-plan of Yubei", on="2022-03-01", filing_number="备案（示例）3号")
    await we.yubei.does("enter-into-force", "local-plan of Yubei", on="2022-03-05")
    await we.office.puts_down("item YB-B1-01", on="2022-03-10", **an_item("YB-B1-01", "KX-YUBEI", 1, **OF_YUBEI))
    await we.office.puts_down("item YB-B1-02", on="2022-03-10", **an_item("YB-B1-02", "KX-YUBEI", 1, **OF_YUBEI))
    for item, owner in (
        ("item A1-01", we.societies), ("item A1-02", we.science), ("item B1-01", we.societies),
        ("item B1-02", we.yubei), ("item B2-02", we.science), ("item YB-B1-01", we.yubei), ("item YB-B1-02", we.yubei),
    ):  # fmt: skip
        await we.office.does("assign", item, on="2022-03-12")
        await owner.does("acknowledge", item, on="2022-03-15")
        await owner.does("start", item, on="2022-03-20")
    await we.office.does("assign", "item B2-01", on="2022-03-12")


async def one_is_verified_wrongly(we: We) -> None:
    """2022: what is done is proven and verified, one thing wrongly."""
    await we.societies.does("milestones/1/report", "item A1-01", on="2022-06-10", attained_on="2022-06-01")
    await we.societies.registers("evidence 备案办法", PDF, as_proof_of=("item A1-01", 1), on="2022-06-12")
    await we.judge.does("verify", "evidence 备案办法", on="2022-06-15")
    await we.judge.does("milestones/1/verify", "item A1-01", on="2022-06-20")
    await we.societies.does("milestones/2/report", "item A1-01", on="2022-09-10", attained_on="2022-09-01")
    await we.lead_as_judge.cannot("milestones/2/verify", "item A1-01", code="judge.not-independent", on="2022-09-20")
    await we.judge.does("milestones/2/verify", "item A1-01", on="2022-09-20")
    await we.yubei.does("milestones/1/report", "item YB-B1-01", on="2022-08-10", attained_on="2022-08-01")
    await we.judge.does("milestones/1/verify", "item YB-B1-01", on="2022-08-20")
    await we.societies.does("milestones/1/report", "item B1-01", on="2022-10-10", attained_on="2022-10-01")
    await we.judge.does("milestones/1/verify", "item B1-01", on="2022-10-20")
    await we.science.does("milestones/1/report", "item A1-02", on="2022-11-10", attained_on="2022-11-01")
    await we.judge.does("milestones/1/verify", "item A1-02", on="2022-12-20")


async def the_wrong_verification_is_revoked(we: We) -> None:
    """2023: the wrong verification is revoked, and what was missing is done."""
    await we.office.does("phases/P2/enter", "plan of 2021", on="2023-01-03")
    await we.office.does("weights", "plan of 2021", on="2023-01-03", **WEIGHTS)
    await we.judge.does("milestones/2/revoke", "item A1-01", on="2023-02-10", reason="名册不实", authority="会议纪要")
    await we.societies.does("milestones/2/report", "item A1-01", on="2023-05-10", attained_on="2023-05-01")
    await we.judge.cannot("milestones/2/verify", "item A1-01", code="milestone.no-verified-evidence", on="2023-05-20")
    await we.societies.registers("evidence 名册", FILES[MediaType.PNG], as_proof_of=("item A1-01", 2), on="2023-05-22")
    await we.judge.does("verify", "evidence 名册", on="2023-05-25")
    await we.judge.does("milestones/2/verify", "item A1-01", on="2023-05-26")
    await we.societies.does("report-done", "item A1-01", on="2023-06-10", claim="渠道备案与名册均已建成")
    await we.judge.does("close", "item A1-01", on="2023-06-20")
    await we.yubei.does("report-done", "item YB-B1-01", on="2023-03-01", claim="试点完成")
    await we.judge.does("close", "item YB-B1-01", on="2023-03-10")
    await we.office.does("cancel", "item YB-B1-02", on="2023-03-15", **DECIDED)
    await we.office.does("close", "local-plan of Yubei", on="2023-03-20", reason="试点期满")


async def one_is_returned(we: We) -> None:
    """2023: one item is returned with a reason, and done after all."""
    await we.science.does("milestones/2/report", "item A1-02", on="2023-06-10", attained_on="2023-06-01")
    await we.science.does("report-done", "item A1-02", on="2023-06-15", claim="展教资源已共享")
    await we.judge.does("return", "item A1-02", on="2023-06-30", reason="缺少三家场馆的确认")
    await we.science.registers("evidence 场馆确认", PDF, as_proof_of=("item A1-02", 2), on="2023-07-10")
    await we.judge.does("verify", "evidence 场馆确认", on="2023-07-15")
    await we.judge.does("milestones/2/verify", "item A1-02", on="2023-07-20")
    await we.science.does("report-done", "item A1-02", on="2023-07-25", claim="确认已补齐")
    await we.judge.does("close", "item A1-02", on="2023-08-01")


async def a_measure_is_accepted(we: We) -> None:
    """2023 and 2024: the measure whose items have all ended is accepted."""
    await we.lead.does("submit", "measure A1", on="2023-09-01")
    await we.judge.does("return", "measure A1", on="2023-09-20", reason="总结报告缺少成效数据")
    await we.lead.does("submit", "measure A1", on="2023-12-01")
    await we.judge.does("accept", "measure A1", on="2024-01-15", score="92.5", reviewers=["CQKX-BG"])


async def one_is_extended_and_one_given_up(we: We) -> None:
    """2023 to 2025: what Yubei owns is struck off; one item is extended, one given up, one cut down."""
    await we.yubei.does("milestones/1/report", "item B1-02", on="2023-11-10", attained_on="2023-11-01")
    await we.yubei.registers("evidence 试点总结", PDF, as_proof_of=("item B1-02", 1), on="2023-11-12")
    await we.judge.does("verify", "evidence 试点总结", on="2023-11-15")
    await we.judge.does("milestones/1/verify", "item B1-02", on="2023-11-20")
    await we.yubei.does("report-done", "item B1-02", on="2023-12-01", claim="区县试点均已办结")
    await we.judge.does("close", "item B1-02", on="2023-12-10")
    await we.office.does("cancel", "item B2-01", on="2024-03-01", **DECIDED)
    await we.science.does("milestones/1/report", "item B2-02", on="2024-06-10", attained_on="2024-06-01")
    await we.science.registers("evidence 协议", PDF, as_proof_of=("item B2-02", 1), on="2024-06-12")
    await we.judge.does("verify", "evidence 协议", on="2024-06-15")
    await we.judge.does("milestones/1/verify", "item B2-02", on="2024-06-20")
    await we.societies.does(
        "extension/request", "item B1-01", on="2024-11-01", due_on="2025-12-31", reason="待市级平台开放接口"
    )
    await we.office.does("extension/grant", "item B1-01", on="2024-11-15")
    await we.office.does("milestones/3/cancel", "item B2-02", on="2025-03-01", **DECIDED)
    await we.societies.does("milestones/2/report", "item B1-01", on="2025-10-15", attained_on="2025-10-01")


async def the_plan_is_closed(we: We) -> None:
    """2026: the plan is evaluated and closed, and another goes on with two items."""
    await we.office.puts_down("plan of 2026", on="2026-01-05", **a_plan(NEXT, 2026, 2030, ("P0", "full", 2026, 2030)))
    await we.office.does("adopt", "plan of 2026", on="2026-01-10", issuer="发文机关（示例）", document_number="2026-1")
    await we.office.does("start-final-evaluation", "plan of 2021", on="2026-01-12")
    await we.office.cannot("close", "plan of 2021", code="plan.still-open", on="2026-01-15", successor=NEXT)
    await we.office.does("carry-over", "item B1-01", on="2026-02-01", successor=NEXT, **DECIDED)
    await we.office.does("carry-over", "item B2-02", on="2026-02-01", successor=NEXT, **DECIDED)
    await we.office.does("close", "plan of 2021", on="2026-03-31", successor=NEXT)
    await we.office.puts_down("continuation of B1-01", on="2026-04-10", **continued(we.course, "item B1-01"))
    await we.office.puts_down("continuation of B2-02", on="2026-04-10", **continued(we.course, "item B2-02"))


YUBEI = titled("YB-2022") | {
    "plan": PLAN, "code": "YB-2022", "document_number": "示例〔2022〕1号", "measures": ["B1"],
    "starts_on": "2022-01-01", "ends_on": "2023-12-31",
}  # fmt: skip
REDRAFTED = {name: said for name, said in YUBEI.items() if name not in {"plan", "code"}} | {"ends_on": "2022-12-31"}
OF_YUBEI = {"local_plan": "YB-2022", "parent": "B1-02", "due_on": "2022-12-31"}
WEIGHTS = {
    "siblings": "items", "parent": "B1",
    "weights": [{"code": "B1-01", "weight": "3"}, {"code": "B1-02", "weight": "1"}],
}  # fmt: skip


def continued(course: Course, item: str) -> dict[str, Any]:
    return {"item": course.id_of(item), "planned_start_on": "2026-05-01", "due_on": "2027-12-31"}


async def tells_what_was_approved(course: Course) -> None:
    """Event by event, the course is the approved one."""
    told = await course.told()
    if os.environ.get("KEGAI_APPROVE"):
        APPROVED.write_text(told, encoding="utf-8")
    assert told.splitlines() == APPROVED.read_text(encoding="utf-8").splitlines()


NOTHING = ("0.000000", "0.000000")
AT_THE_END_OF_2022 = {
    # the parts: items, milestones (counted, reported, verified), progress and original scope (reported, verified)
    "A1": (2, (4, 2, 2), ("0.375000", "0.375000"), ("0.375000", "0.375000")),  # (1/4 + 1/2)/2: one was revoked
    "A": (2, (4, 2, 2), ("0.375000", "0.375000"), ("0.375000", "0.375000")),
    "B1": (2, (4, 1, 1), ("0.375000", "0.375000"), ("0.375000", "0.375000")),  # (1/4 + local (1 + 0)/2)/2
    "B2": (2, (4, 0, 0), NOTHING, NOTHING),
    "B": (4, (8, 1, 1), ("0.187500", "0.187500"), ("0.187500", "0.187500")),  # (0.375 + 0)/2
    PLAN: (6, (12, 3, 3), ("0.281250", "0.281250"), ("0.281250", "0.281250")),  # (0.375 + 0.1875)/2
}
BEFORE_THE_DOUBT = AT_THE_END_OF_2022 | {
    "A1": (2, (4, 3, 3), ("0.750000", "0.750000"), ("0.750000", "0.750000")),  # (4/4 + 1/2)/2
    "A": (2, (4, 3, 3), ("0.750000", "0.750000"), ("0.750000", "0.750000")),
    PLAN: (6, (12, 4, 4), ("0.468750", "0.468750"), ("0.468750", "0.468750")),  # (0.75 + 0.1875)/2
}
IN_THE_END = {
    "A1": (2, (4, 4, 4), ("1.000000", "1.000000"), ("1.000000", "1.000000")),
    "A": (2, (4, 4, 4), ("1.000000", "1.000000"), ("1.000000", "1.000000")),
    # weighted 3 and 1: (3·2/4 + 1·1)/4, (3·1/4 + 1·1)/4; with the local item that was cancelled 1·1/2 in place of 1·1
    "B1": (2, (4, 3, 2), ("0.625000", "0.437500"), ("0.500000", "0.312500")),
    # B2-02 alone, 1/2 without its cancelled milestone; with all, (1/4 + 0)/2
    "B2": (1, (2, 1, 1), ("0.500000", "0.500000"), ("0.125000", "0.125000")),
    "B": (3, (6, 4, 3), ("0.562500", "0.468750"), ("0.312500", "0.218750")),  # (0.625 + 0.5)/2, (0.4375 + 0.5)/2, …
    PLAN: (5, (10, 8, 7), ("0.781250", "0.734375"), ("0.656250", "0.609375")),  # (1 + 0.5625)/2, (1 + 0.46875)/2, …
}


RATED = {
    # of A1, B1 and B2 on a day: the rating, the gap of what is expected to what is verified, what is late, and how long
    # nothing is planned before June 2024; all was for 30 June: 1 - (3·1/4 + 1·1)/4 and 1 - 1/4; in the end B2: 1 - 1/2
    "2022-12-31": [("green", "-0.375000", 0, 0), ("green", "-0.375000", 0, 0), ("green", "0.000000", 0, 0)],
    "2024-07-10": [("done", "0.000000", 0, 0), ("red", "0.562500", 2, 10), ("red", "0.750000", 2, 10)],
    "2026-04-30": [("done", "0.000000", 0, 0), ("red", "0.562500", 0, 0), ("red", "0.500000", 0, 0)],
}


async def shows_what_was_computed_by_hand(course: Course, before_the_doubt: str) -> None:
    """The views agree with the tables above, on two days, by what is known now and by what was known before."""
    early, late = {"as_of": "2022-12-31"}, {"as_of": "2026-04-30"}
    then, over, now = await course.plan(PLAN, **early), await course.plan(PLAN, **late), await course.plan(PLAN)
    doubtless = await course.plan(PLAN, **early, known_at=before_the_doubt)
    assert dict(figures_of(then)) == AT_THE_END_OF_2022
    assert dict(figures_of(doubtless)) == BEFORE_THE_DOUBT
    assert dict(figures_of(over)) == IN_THE_END
    assert dict(figures_of(now)) == IN_THE_END
    assert (then["state"], then["phase"]["code"], then["days_left"]) == ("in-force", "P1", 1096)
    assert (over["state"], over["days_left"]) == ("closed", -120)
    assert by_state(then) == {
        "A1": {"in-progress": 2},
        "B1": {"in-progress": 2},
        "B2": {"assigned": 1, "in-progress": 1},
    }
    assert (
        by_state(over)
        == by_state(now)
        == {
            "A1": {"verified-closed": 2},
            "B1": {"verified-closed": 1, "carried-over": 1},
            "B2": {"cancelled": 1, "carried-over": 1},
        }
    )
    assert await course.states("measure A1", "measure B1", "local-plan of Yubei") == ["closed", "closed", "closed"]
    assert {day: ratings_of(await course.plan(PLAN, as_of=day)) for day in RATED} == RATED
