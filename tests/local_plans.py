"""Local plans for tests: ORG's for 2022, of two measures of the plan, lawful unless a test says otherwise."""

from datetime import date
from typing import Any
from uuid import uuid4

from builders import OWNER
from measures.local_plan.domain import Draft, LocalPlan, draft_local_plan

LOCAL_PLANS = "/api/v1/local-plans"


def local_plan_draft(**changed: Any) -> Draft:
    """What ORG writes into its plan for 2022, of A1 and B1."""
    told: dict[str, Any] = {"title_zh": "地方方案", "title_en": "Local plan", "document_number": "示例1号"}
    told |= {"measures": ("A1", "B1"), "starts_on": date(2022, 1, 1), "ends_on": date(2022, 12, 31)}
    return Draft(**(told | changed))


def local_plan_words(**changed: Any) -> dict[str, Any]:
    """What ``draft_local_plan`` is told beside the draft: ORG puts it down on 2022-02-15."""
    told: dict[str, Any] = {"id": uuid4(), "plan": "PLAN-1", "code": "YB-2022", "by": OWNER, "on": date(2022, 2, 15)}
    return told | {"plan_starts_on": date(2021, 1, 1), "plan_ends_on": date(2025, 12, 31)} | changed


def a_local_plan(**changed: Any) -> LocalPlan:
    """A local plan that ORG just put down."""
    return draft_local_plan(local_plan_draft(**changed), **local_plan_words()).state


def a_submitted_local_plan() -> LocalPlan:
    """A local plan that was submitted on 2022-02-20."""
    return a_local_plan().submit(by=OWNER, on=date(2022, 2, 20)).state


def a_filed_local_plan() -> LocalPlan:
    """A local plan that was filed on 2022-03-20."""
    return a_submitted_local_plan().file(filing_number="备案1", by=None, on=date(2022, 3, 20)).state


def local_plan_body(**changed: Any) -> dict[str, Any]:
    """A local plan of A1 as a request says it."""
    told = local_plan_draft(measures=("A1",))
    body: dict[str, Any] = {name: getattr(told, name) for name in ("title_zh", "title_en", "document_number")}
    body |= {"measures": ["A1"], "starts_on": "2022-01-01", "ends_on": "2022-12-31"}
    return body | {"plan": "PLAN-1", "code": "ORG-2022", "effective_on": "2022-02-15"} | changed
