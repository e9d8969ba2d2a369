"""What a request may write: text that is seen as it is written, numbers in figures, and of every field the same."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter, ValidationError

from builders import plan_body
from common.fields import InFigures, Text, Title
from common.openapi import document_of
from common.problems import FORMS, fault_of
from refusals import assert_problem
from routes import app_of
from sheets import a_line, as_csv, sent, told

SERVICES = ("measures", "societies", "talent", "events")
PLANS = "/api/v1/plans"
HIDDEN = ["\u200b", "\u2060\ufeff", "\u00ad", "\u3164", "\u115f\u1160", "\u2800", "\u0301", "\ufe0f", "\u200d \u3000"]
WRONG: tuple[Any, ...] = (None, [], {}, {"a/b~": 1}, "\u200b", "x" * 3000, True, -1, 10**30, [[]], "NaN")
"""What is not right in many a field."""
TURNED = ["甲\u202e乙", "a\u2066b\u2069", "甲\u200f", "\u200e甲", "\u061c1", "甲\0", "a\x1b[2J", "a\x85b", "a\u2028b"]
SEEN = ["科协", "Wüst\u0308", "葛\U000e0100", "👩\u200d🔬", "a\u200bb", "①", "。", "\ue000", "𠮷", "नि"]


def _faults(kind: Any, given: object) -> list[str]:
    try:
        TypeAdapter(kind).validate_python(given)
    except ValidationError as error:
        return [one["type"] for one in error.errors()]
    return []


def _bodies() -> Iterator[type[BaseModel]]:
    """The models of all bodies that a service takes."""
    for service in SERVICES:
        for route in app_of(service).routes:
            if isinstance(route, APIRoute) and route.body_field:
                yield cast("type[BaseModel]", route.body_field.field_info.annotation)


BODIES = sorted(set(_bodies()), key=lambda body: body.__name__)
each_body = pytest.mark.parametrize("body", BODIES, ids=[body.__name__ for body in BODIES])


# ── text ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [Text, Title])
@pytest.mark.parametrize("hidden", HIDDEN)
def test_text_without_anything_to_be_seen_is_none(kind: Any, hidden: str) -> None:
    assert _faults(kind, hidden) == ["invisible_text"]


@pytest.mark.parametrize("kind", [Text, Title])
@pytest.mark.parametrize("turned", TURNED)
def test_what_is_not_seen_and_changes_how_text_reads_is_refused(kind: Any, turned: str) -> None:
    assert _faults(kind, turned) == ["control_character"]


@pytest.mark.parametrize("kind", [Text, Title])
@pytest.mark.parametrize("seen", SEEN)
def test_what_writing_needs_is_text(kind: Any, seen: str) -> None:
    assert TypeAdapter(kind).validate_python(seen) == seen


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\tb"])
def test_text_has_several_lines_and_a_title_one(text: str) -> None:
    assert (_faults(Text, text), _faults(Title, text)) == ([], ["control_character"])


def test_the_end_of_a_line_is_not_half_of_one() -> None:
    assert _faults(Text, "covered\rover") == ["control_character"]


@each_body
def test_no_text_of_any_request_takes_what_is_not_seen(body: type[BaseModel]) -> None:
    """A field that was given the contract's type, or none with a rule, is found here."""
    for example in body.model_json_schema()["examples"]:
        for place, value in _leaves(example):
            if isinstance(value, str):
                for wrong in ("\u200b", "甲\u202e乙", "甲\0"):
                    assert _pointers(body, _with(example, place, wrong)), f"{place} takes {wrong!a}"


@pytest.mark.parametrize(
    ("wrong", "code", "zh", "en"),
    [
        ("\u3164", "invisible_text", "没有可见的字符", "There is nothing to be seen in it"),
        (
            "甲\u202e乙",
            "control_character",
            "含有看不见且可能改变阅读顺序或含义的字符（U+202E）",
            "may change how it reads",
        ),
    ],
)
async def test_it_is_told_where_and_in_the_callers_language(
    office: httpx.AsyncClient, wrong: str, code: str, zh: str, en: str
) -> None:
    body = plan_body()
    body["phases"][0] = body["phases"][0] | {"name_zh": wrong}
    for language, said in (("zh", zh), ("en", en)):
        reply = await office.post(PLANS, json=body, headers={"accept-language": language})
        (fault,) = assert_problem(reply, 422, "request.invalid", at="/phases/0/name_zh")["errors"]
        assert fault["code"] == code
        assert said in fault["detail"]


async def test_a_sheet_keeps_the_same_rule_and_names_the_cell(office: httpx.AsyncClient, plan: str) -> None:
    for dry_run in (True, False):
        hidden = as_csv(a_line(title_zh="\u200b"), a_line("A1-02", problem="甲\u202e乙"))
        assert told(await sent(office, hidden, dry_run=dry_run)) == [
            (2, "A1-01", "error", [("C2", "invisible_text")]),
            (3, "A1-02", "error", [("H3", "control_character")]),
        ]
    await sent(office, as_csv(a_line()))
    moved = a_line(due_on="2023-06-30", effective_on="2022-03-01", reason="\u2060")
    (row,) = told(await sent(office, as_csv(moved)))
    assert [code for _, code in row[3]] == ["invisible_text"]


async def test_a_filter_is_text_that_is_seen(office: httpx.AsyncClient, plan: str) -> None:
    reply = await office.get("/api/v1/items", params={"text": "a\0b"})
    assert_problem(reply, 422, "request.invalid", at="/query/text")


# ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


FIGURES = {"1e3": "1000", "1E+2": "100", "-0": "0", "0e5": "0", "0.00000": "0", "2.50": "2.5", "100.0": "100"}


@pytest.mark.parametrize(("given", "kept"), FIGURES.items())
def test_a_number_is_kept_in_figures(given: str, kept: str) -> None:
    kept_as = TypeAdapter[Decimal](Annotated[Decimal, InFigures]).validate_python(given)
    assert str(kept_as) == kept


def test_a_line_between_figures_is_no_part_of_a_number() -> None:
    with pytest.raises(ValidationError):
        TypeAdapter[Decimal](Annotated[Decimal, InFigures]).validate_python("1_0")


async def test_a_weight_is_read_back_in_figures_also_from_a_sheet(office: httpx.AsyncClient, plan: str) -> None:
    await sent(office, as_csv(a_line(milestone_weight="1e3")))
    (item,) = (await office.get("/api/v1/items", params={"plan": "PLAN-1"})).json()["items"]
    assert item["milestones"][0]["weight"] == "1000"


# ── forms and places ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("service", SERVICES)
def test_every_form_that_a_service_asks_for_has_words(service: str) -> None:
    asked = set(re.findall(r'"pattern":\s*("(?:[^"\\]|\\.)*")', document_of(service)))
    for pattern in map(json.loads, asked):
        if "decimal" not in pattern and not pattern.startswith("^(?!^[-+.]*$)"):  # pydantic's own, of decimals
            assert pattern in FORMS


async def test_a_wrong_code_is_told_in_words_with_an_example(office: httpx.AsyncClient) -> None:
    for language, said in (("zh", "大写字母"), ("en", "capital letters")):
        reply = await office.post(PLANS, json=plan_body(code="a b"), headers={"accept-language": language})
        (fault,) = assert_problem(reply, 422, "request.invalid", at="/code")["errors"]
        assert said in fault["detail"]
        assert "B2-03" in fault["detail"]
        assert "[" not in fault["detail"]


@each_body
def test_every_pointer_leads_to_what_the_caller_sent(body: type[BaseModel]) -> None:
    for example in body.model_json_schema()["examples"]:
        for place, _ in _leaves(example):
            for wrong in WRONG:
                sent_ = _with(example, place, wrong)
                for pointer in _pointers(body, sent_):
                    assert _found(sent_, pointer), f"{pointer} with {wrong!a} at {place}"


async def test_a_wrong_tag_is_told_once_with_all_that_may_stand_there(office: httpx.AsyncClient, plan: str) -> None:
    reply = await office.post("/api/v1/items", json={"tags": ["mass", "x"]})
    faults = [one for one in assert_problem(reply, 422, "request.invalid")["errors"] if one["pointer"] == "/tags/1"]
    (fault,) = faults
    assert fault["code"] == "enum"
    for choice in ("political", "entertainment", "decisions"):
        assert choice in fault["detail"]
    told_ = assert_problem(await office.get("/api/v1/items?tag=x"), 422, "request.invalid")["errors"]
    assert [one["pointer"] for one in told_] == ["/query/tag"]


async def test_a_field_of_any_name_is_pointed_at_as_json_pointers_are_written(office: httpx.AsyncClient) -> None:
    reply = await office.post(PLANS, json=plan_body(**{"a/b~c": 1, "body": 2}))
    faults = assert_problem(reply, 422, "request.invalid")["errors"]
    assert [one["pointer"] for one in faults] == ["/a~1b~0c", "/body"]
    reply = await office.post(PLANS, content=b"")
    assert [one["pointer"] for one in assert_problem(reply, 422, "request.invalid")["errors"]] == [""]


# ── looking into what was sent ───────────────────────────────────────────────────────────────────────────────────────


def _leaves(told: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if place:
        yield place, told
    if isinstance(told, dict | list):
        for name, value in told.items() if isinstance(told, dict) else enumerate(told):
            yield from _leaves(value, (*place, name))


def _with(told: Any, place: tuple[str | int, ...], value: Any) -> Any:
    changed = json.loads(json.dumps(told))
    within = changed
    for part in place[:-1]:
        within = within[part]
    within[place[-1]] = value
    return changed


def _pointers(body: type[BaseModel], told: Any) -> list[str]:
    try:
        body.model_validate_json(json.dumps(told), strict=True)
    except ValidationError as error:
        return [fault_of({**one, "loc": ("body", *one["loc"])}, "zh").pointer for one in error.errors()]
    return []


def _found(told: Any, pointer: str) -> bool:
    """Whether it is there, or a field that is missing of what is there."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    for n, part in enumerate(parts):
        if isinstance(told, list) and part.isdecimal() and int(part) < len(told):
            told = told[int(part)]
        elif isinstance(told, dict) and part in told:
            told = told[part]
        else:
            return n == len(parts) - 1 and isinstance(told, dict) and re.fullmatch("[a-z_]+", part) is not None
    return True
