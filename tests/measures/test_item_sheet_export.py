"""What is listed is given out as a sheet that no spreadsheet runs and that is taken in again as the same."""

import csv
import io
from datetime import date, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.clock import SHANGHAI
from doors import Door
from measures.item_sheet.columns import as_text, escaped
from refusals import assert_problem
from sheets import a_line, a_milestone_line, as_csv, sent, told


async def test_what_is_given_out_is_taken_in_as_the_same(office: httpx.AsyncClient, plan: str) -> None:
    dangerous = a_line("A1-02", title_en="=cmd|' /C calc'!A0", problem="-1", deliverable="@x", effect="+1")
    await sent(
        office, as_csv(a_line(), a_milestone_line(2, milestone_weight="2.50"), dangerous | {"tags": "mass、workers"})
    )
    given = await office.get("/api/v1/items/export", params={"plan": "PLAN-1"})
    assert given.headers["content-type"].startswith("text/csv")
    assert given.content.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(given.content.decode("utf-8-sig"), newline="")))
    assert [line[0] for line in lines] == ["事项代码 code", "A1-01", "A1-01", "A1-02"]
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@", "\t"))]
    again = await sent(office, given.content)
    assert told(again) == [(2, "A1-01", "same", []), (4, "A1-02", "same", [])]
    listed = (await office.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"]
    assert listed[1]["title_en"] == "=cmd|' /C calc'!A0"


SIGNS = "=+-@＝＋－＠\t\r\n"


@given(text=st.text(alphabet=SIGNS + "'a 科", max_size=6).map(str.strip))
def test_no_text_begins_a_formula_and_each_is_read_again_as_it_was(text: str) -> None:
    assert not escaped(text).startswith(tuple(SIGNS))
    assert as_text(escaped(text)) == text


async def test_items_are_given_out_as_json_with_the_filters_of_the_list(office: httpx.AsyncClient, plan: str) -> None:
    await sent(
        office, as_csv(*(a_line(f"A1-{n:03}", milestone="1") for n in range(1, 206)), a_line("B1-1", measure="B1"))
    )
    given = await office.get("/api/v1/items/export", params={"plan": "PLAN-1", "format": "json", "measure": "A1"})
    assert [item["code"] for item in given.json()] == [f"A1-{n:03}" for n in range(1, 206)]
    assert given.json()[0]["milestones"][0]["planned_on"] == "2022-06-30"
    assert (given.json()[0]["owner"], given.json()[0]["co_units"]) == ("ORG", ["FIN"])
    none = await office.get("/api/v1/items/export", params={"plan": "PLAN-1", "format": "json", "measure": "A2"})
    assert none.json() == []


async def test_only_what_the_caller_may_know_of_is_given_out(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    await sent(office, as_csv(a_line("A1-01"), a_line("A1-02", owner="SOC", co_units="")))
    given = await measures.client_for("unit-reporter", "ORG").get(
        "/api/v1/items/export", params={"plan": "PLAN-1", "format": "json"}
    )
    assert [item["code"] for item in given.json()] == ["A1-01"]
    refused = await measures.client_for("participant").get("/api/v1/items/export", params={"plan": "PLAN-1"})
    assert_problem(refused, 403, "auth.not-permitted")


@pytest.mark.parametrize("written", ["csv", "json"])
async def test_how_late_an_item_is_follows_from_the_day_of_the_question(
    office: httpx.AsyncClient, plan: str, written: str
) -> None:
    await sent(office, as_csv(a_line("A1-01"), a_line("A1-02", due_on="2099-12-31")))
    given = await office.get("/api/v1/items/export", params={"plan": "PLAN-1", "format": written})
    if written == "json":
        late = {item["code"]: item["days_late"] for item in given.json()}
    else:
        lines = csv.DictReader(io.StringIO(given.content.decode("utf-8-sig"), newline=""))
        late = {line["事项代码 code"]: int(line["逾期天数 days_late"]) for line in lines}
    assert late == {"A1-01": (datetime.now(SHANGHAI).date() - date(2022, 12, 31)).days, "A1-02": 0}


@pytest.mark.parametrize("form", ["csv", "json"])
async def test_what_cannot_be_looked_for_is_refused_before_anything_is_given_out(
    office: httpx.AsyncClient, plan: str, form: str
) -> None:
    reply = await office.get("/api/v1/items/export", params={"plan": "PLAN-1", "format": form, "text": "\0"})
    assert_problem(reply, 422, "request.invalid", at="/query/text")
