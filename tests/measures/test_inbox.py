"""The inbox: what waits for whoever asks, oldest due first, by the rules that decide; what was done leaves it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from builders import item_body, milestone_body, plan_body
from common.roles import Scope
from doors import Door
from local_plans import LOCAL_PLANS, local_plan_body
from measures.inbox import waiting
from papers import evidence_body
from refusals import assert_problem

INBOX = "/api/v1/inbox"
Inboxes = dict[str, httpx.AsyncClient]
TO_JUDGE = ["milestones/1/verify", "milestones/1/return"]


@pytest.fixture
def inboxes(measures: Door) -> Inboxes:
    """Whoever may ask: ORG owns and does what is done here, CQ is above all, SOC leads, YB and FIN are others."""
    asking = {
        "office": ("reform-office", "CQ"),
        "admin": ("municipal-admin", "CQ"),
        "office within ORG": ("reform-office", "ORG-1"),
        "owner": ("unit-reporter", "ORG"),
        "owner's leader": ("unit-leader", "ORG"),
        "below the owner": ("unit-reporter", "ORG-1"),
        "stranger": ("unit-reporter", "YB"),
        "lead": ("measure-lead", "SOC"),
        "owner as judge": ("measure-lead", "ORG"),
        "judge above": ("measure-lead", "CQ"),
        "no unit": ("reform-office", None),
    }
    return {name: measures.client_for(role, unit) for name, (role, unit) in asking.items()}


async def entries(client: httpx.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    reply = await client.get(INBOX, params=asked)
    assert reply.status_code == 200, reply.text
    found: list[dict[str, Any]] = reply.json()["items"]
    return found


async def who_waits(inboxes: Inboxes, noun: str) -> dict[str, list[str]]:
    """For whom something of this noun waits, and with which steps."""
    told = {}
    for name, client in inboxes.items():
        if found := [entry for entry in await entries(client) if entry["noun"] == noun]:
            (told[name],) = (entry["waits"] for entry in found)
    return told


async def take(client: httpx.AsyncClient, address: str, **body: Any) -> None:
    """A step that must not be refused."""
    reply = await client.post(address, json=body)
    assert reply.status_code in {200, 201}, reply.text


def for_both(*steps: str) -> dict[str, list[str]]:
    """What waits for who acts for the owner."""
    return {"owner": list(steps), "owner's leader": list(steps)}


def for_office(*steps: str) -> dict[str, list[str]]:
    """What waits for whoever holds the office, wherever it is."""
    return {name: list(steps) for name in ("office", "admin", "office within ORG", "no unit")}


def for_judges(*steps: str) -> dict[str, list[str]]:
    """What waits for who is independent of ORG."""
    return {name: list(steps) for name in ("office", "admin", "judge above")}


async def test_an_item_waits_for_whose_turn_it_is_and_leaves_when_that_is_done(
    inboxes: Inboxes, office: httpx.AsyncClient, reporter: httpx.AsyncClient, item: str
) -> None:
    course: list[tuple[dict[str, list[str]], httpx.AsyncClient, str, dict[str, Any]]] = [
        (for_office("assign"), office, "assign", {}),
        (for_both("acknowledge"), reporter, "acknowledge", {}),
        (for_both("start"), reporter, "start", {}),
        (
            for_both("report-done", "milestones/1/report"),
            reporter,
            "milestones/1/report",
            {"attained_on": "2022-06-01"},
        ),
        (for_both("report-done") | for_judges(*TO_JUDGE), office, "milestones/1/return", {"reason": "材料不全"}),
        (
            for_both("report-done", "milestones/1/report"),
            reporter,
            "milestones/1/report",
            {"attained_on": "2022-06-02"},
        ),
        (for_both("report-done") | for_judges(*TO_JUDGE), office, "milestones/1/verify", {}),
        (for_both("report-done"), reporter, "report-done", {"claim": "完成"}),
        (for_judges("return", "close"), office, "close", {}),
    ]
    for expected, client, step, body in course:
        assert await who_waits(inboxes, "item") == expected, step
        await take(client, f"{item}/{step}", **body)
    assert await who_waits(inboxes, "item") == {}


async def test_an_extension_waits_for_the_office(
    inboxes: Inboxes, office: httpx.AsyncClient, reporter: httpx.AsyncClient, started: str
) -> None:
    asked = {"due_on": "2023-06-30", "reason": "经费未到", "effective_on": "2022-05-01"}
    await take(reporter, f"{started}/extension/request", **asked)
    waits = await who_waits(inboxes, "item")
    owners = for_both("report-done", "milestones/1/report")
    assert waits == owners | for_office("extension/grant", "extension/refuse")
    (entry,) = await entries(office)
    assert (entry["since"], entry["due_on"]) == ("2022-05-01", "2022-12-31")
    await take(office, f"{started}/extension/grant", effective_on="2022-05-10")
    assert await who_waits(inboxes, "item") == owners


async def test_an_item_that_cannot_be_assigned_yet_waits_for_nobody(
    inboxes: Inboxes, office: httpx.AsyncClient, plan: str
) -> None:
    await take(office, "/api/v1/items", **item_body(milestones=[milestone_body(required=False)]))
    assert await who_waits(inboxes, "item") == {}


async def test_a_plan_waits_to_be_adopted(inboxes: Inboxes, office: httpx.AsyncClient) -> None:
    address = (await office.post("/api/v1/plans", json=plan_body())).headers["location"]
    assert await who_waits(inboxes, "plan") == for_office("adopt")
    adoption = {"issuer": "市委深改办", "document_number": "2021-1", "effective_on": "2021-02-01"}
    await take(office, f"{address}/adopt", **adoption)
    assert await who_waits(inboxes, "plan") == {}


async def test_a_local_plan_waits_for_its_unit_and_for_the_office_in_turn(
    inboxes: Inboxes, office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str
) -> None:
    address = (await reporter.post(LOCAL_PLANS, json=local_plan_body())).headers["location"]
    for expected, client, step, body in (
        (for_both("redraft", "submit"), reporter, "submit", {}),
        (for_office("return", "file"), office, "return", {"reason": "措施不实"}),
        (for_both("redraft", "submit"), reporter, "submit", {}),
        (for_office("return", "file"), office, "file", {"filing_number": "备案1"}),
        (for_both("enter-into-force"), reporter, "enter-into-force", {}),
    ):
        assert await who_waits(inboxes, "local-plan") == expected, step
        await take(client, f"{address}/{step}", **body)
    assert await who_waits(inboxes, "local-plan") == {}


async def test_evidence_waits_for_who_may_assess_it(inboxes: Inboxes, office: httpx.AsyncClient, evidence: str) -> None:
    assert await who_waits(inboxes, "evidence") == for_judges("verify", "reject")
    (entry,) = [entry for entry in await entries(office) if entry["noun"] == "evidence"]
    assert entry["title_zh"] == entry["title_en"] == evidence_body(evidence)["title"]
    assert entry["link"] == evidence
    await take(office, f"{evidence}/verify")
    assert await who_waits(inboxes, "evidence") == {}


async def test_a_risk_waits_for_its_owner_until_something_is_done_about_it(
    inboxes: Inboxes, reporter: httpx.AsyncClient, item: str
) -> None:
    code = (await reporter.get(item)).json()["code"]
    told = {"plan": "PLAN-1", "subject_kind": "item", "subject": code, "code": "A1-R01", "title_zh": "经费未落实"}
    told |= {"title_en": "No funds yet", "owner": "ORG", "effective_on": "2022-03-01"}
    raised = await reporter.post("/api/v1/risks", json=told | {"likelihood": 3, "impact": 4})
    assert raised.status_code == 201, raised.text
    answering = for_both("mitigate") | {"owner as judge": ["mitigate"]}
    assert await who_waits(inboxes, "risk") == answering
    await take(reporter, f"{raised.headers['location']}/mitigate", response="另行申请")
    assert await who_waits(inboxes, "risk") == {}


async def test_a_measure_waits_for_its_lead_when_all_its_items_have_ended_and_then_for_judges(
    inboxes: Inboxes, office: httpx.AsyncClient, reporter: httpx.AsyncClient, started: str
) -> None:
    (listed, *_) = (await office.get("/api/v1/measures", params={"plan": "PLAN-1"})).json()["items"]
    measure = f"/api/v1/measures/{listed['id']}"
    await take(office, f"{measure}/lead", lead_unit="SOC", co_units=[], effective_on="2022-01-05")
    await take(office, f"{measure}/launch", effective_on="2022-01-10")
    assert await who_waits(inboxes, "measure") == {}
    await take(reporter, f"{started}/milestones/1/report", attained_on="2022-06-01")
    await take(office, f"{started}/milestones/1/verify")
    await take(reporter, f"{started}/report-done", claim="完成")
    await take(office, f"{started}/close")
    assert await who_waits(inboxes, "measure") == {"lead": ["submit"]}
    await take(inboxes["lead"], f"{measure}/submit")
    independent = {name: ["accept", "return"] for name in ("office", "admin")}
    assert await who_waits(inboxes, "measure") == independent
    await take(office, f"{measure}/accept", score="90", reviewers=["YB"])
    assert await who_waits(inboxes, "measure") == {}


@pytest.mark.parametrize("role", ["supervisor", "auditor", "participant", "independent-assurer"])
async def test_who_has_nothing_to_decide_has_no_inbox(measures: Door, role: str) -> None:
    assert_problem(await measures.client_for(role, "CQ").get(INBOX), 403, "auth.not-permitted")


# ── order and pages ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
async def mixed(office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str) -> str:
    """For the office: a local plan since 2022-02-20, and items due in 2021, 2022 and 2023; their order as letters."""
    for code, due_on in (
        ("A1-C", "2023-01-31"),
        ("A1-A", "2022-01-31"),
        ("A1-D", "2023-01-31"),
        ("A1-E", "2024-01-31"),
    ):
        await take(office, "/api/v1/items", **item_body(code=code, due_on=due_on))
    address = (await reporter.post(LOCAL_PLANS, json=local_plan_body(code="YB-B"))).headers["location"]
    await take(reporter, f"{address}/submit", effective_on="2022-02-20")
    return "ABCDE"


async def test_what_is_due_first_comes_first_and_the_rest_by_the_day_since_which_it_waits(
    office: httpx.AsyncClient, mixed: str
) -> None:
    found = await entries(office)
    assert "".join(entry["code"][-1] for entry in found) == mixed
    assert [entry["due_on"] for entry in found] == ["2022-01-31", None, "2023-01-31", "2023-01-31", "2024-01-31"]


@pytest.mark.parametrize("looked_at", [1, 2, 100])
async def test_it_is_read_page_by_page_without_a_gap_or_anything_twice(
    office: httpx.AsyncClient, mixed: str, looked_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("measures.inbox.store.LOOKED_AT_MAX", looked_at)
    found, asked = "", {"limit": 2}
    for _ in range(8):
        page = (await office.get(INBOX, params=asked)).json()
        assert len(page["items"]) <= 2
        found += "".join(entry["code"][-1] for entry in page["items"])
        if page["next"] is None:
            break
        asked["cursor"] = page["next"]
    assert (found, page["next"]) == (mixed, None)


@pytest.mark.parametrize("cursor", ["A1-A", "2022-13-01/0197c1a0-6c10-7b22-9d02-2a3b4c5d6e7f", "2022-01-01/A1"])
async def test_a_cursor_of_another_list_is_refused(office: httpx.AsyncClient, cursor: str) -> None:
    assert_problem(
        await office.get(INBOX, params={"cursor": cursor}), 422, "request.cursor-invalid", at="/query/cursor"
    )


async def test_a_page_has_fifty_entries_at_most(office: httpx.AsyncClient) -> None:
    assert_problem(await office.get(INBOX, params={"limit": 51}), 422, "request.invalid")


# ── rules decide, whatever is looked at ──────────────────────────────────────────────────────────────────────────────


def blind() -> Iterator[waiting.Waiting]:
    """The same kinds, looked for by who cares about neither state nor permission."""
    for kind in waiting.WAITING:
        looked_for = (replace(one, permissions=("inbox.open",), condition="true") for one in kind.candidates)
        yield replace(kind, candidates=tuple(looked_for))


@pytest.fixture
def blindly(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it: from then on all is looked at, whosever it is."""

    def look() -> None:
        monkeypatch.setattr(waiting, "WAITING", tuple(blind()))
        monkeypatch.setattr("measures.inbox.store._scope", lambda *_: Scope(everything=True, units=(), leads=()))

    return look


async def test_whatever_is_looked_at_only_what_the_rules_offer_is_shown(
    inboxes: Inboxes, started: str, evidence: str, mixed: str, blindly: Callable[[], None]
) -> None:
    before = {name: await entries(client) for name, client in inboxes.items()}
    assert {name for name, found in before.items() if not found} == {
        "below the owner",
        "stranger",
        "lead",
        "owner as judge",
    }
    blindly()
    assert {name: await entries(client) for name, client in inboxes.items()} == before


async def test_it_is_seen_that_the_rules_were_asked(
    inboxes: Inboxes, item: str, blindly: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the question to the rules, what a careless look finds would be shown to a stranger."""
    blindly()
    monkeypatch.setattr("measures.inbox.store.allowed", lambda *_: ("acknowledge",))
    monkeypatch.setattr("common.store.Aggregates.permitted", lambda *_: frozenset({"item.read", "item.acknowledge"}))
    assert [entry["noun"] for entry in await entries(inboxes["stranger"])] == ["item"]
