"""The directory's door: who may do what, what is refused with which code, and what a list and a history show."""

from typing import Any

import pytest
from httpx import AsyncClient

from doors import Door
from refusals import assert_problem

UNITS = "/api/v1/units"


def district(**changed: Any) -> dict[str, Any]:
    """The association of a district, as a request says it."""
    told = {
        "code": "KX-YUZHONG",
        "kind": "district",
        "name_zh": "渝中区科协",
        "name_en": "Yuzhong District Association",
        "parent": "CQKX",
        "division_code": "500103",
        "effective_on": "2021-01-01",
    }
    return told | changed


def department(code: str, **changed: Any) -> dict[str, Any]:
    """A department of the municipal association, as a request says it."""
    told = {"code": code, "kind": "department", "name_zh": f"部门{code}", "name_en": f"Department {code}"}
    return told | {"parent": "CQKX", "effective_on": "2021-01-01"} | changed


def name(zh: str = "新名", en: str = "New name", **changed: Any) -> dict[str, Any]:
    return {"name_zh": zh, "name_en": en} | changed


@pytest.fixture
def officer(societies: Door) -> AsyncClient:
    return societies.client_for("society-officer", "CQKX")


@pytest.fixture
async def unit(officer: AsyncClient) -> str:
    """The address of an established district association."""
    reply = await officer.post(UNITS, json=district())
    assert reply.status_code == 201, reply.text
    return reply.headers["location"]


async def test_an_established_unit_is_read_where_the_reply_says(officer: AsyncClient) -> None:
    reply = await officer.post(UNITS, json=district())

    found = await officer.get(reply.headers["location"])
    municipal = (await officer.get(UNITS, params={"kind": "municipal"})).json()["items"][0]
    assert found.json() == {
        "id": reply.json()["id"],
        "version": 1,
        "code": "KX-YUZHONG",
        "kind": "district",
        "name_zh": "渝中区科协",
        "name_en": "Yuzhong District Association",
        "named_from": "2021-01-01",
        "parent": municipal["id"],
        "division_code": "500103",
        "zone_code": None,
        "established_on": "2021-01-01",
        "state": "active",
        "allowed_actions": ["rename"],
        "blocked": [],
    }
    assert found.headers["etag"] == reply.headers["etag"] == '"1"'


async def test_the_reply_to_a_command_says_where_it_can_be_seen(officer: AsyncClient) -> None:
    decided = (await officer.post(UNITS, json=district())).json()

    assert decided == {
        "id": decided["id"],
        "version": 1,
        "position": f"{decided['id']}@1",
        "state": "active",
        "allowed_actions": ["rename"],
    }


async def test_a_code_is_given_once(officer: AsyncClient, unit: str) -> None:
    again = await officer.post(UNITS, json=department("KX-YUZHONG"))

    assert_problem(again, 409, "unit.code-taken")


async def test_a_division_has_one_association(officer: AsyncClient, unit: str) -> None:
    second = await officer.post(UNITS, json=district(code="KX-YUZHONG-2"))

    assert_problem(second, 409, "unit.division-taken")


async def test_a_zone_has_one_association(officer: AsyncClient) -> None:
    zone = district(kind="zone", division_code=None, zone_code="CQZ-GX")
    await officer.post(UNITS, json=zone | {"code": "KX-GAOXIN"})

    second = await officer.post(UNITS, json=zone | {"code": "KX-GAOXIN-2"})

    assert_problem(second, 409, "unit.zone-taken")


async def test_there_is_one_municipal_association(officer: AsyncClient) -> None:
    second = await officer.post(UNITS, json=district(code="CQ-2", kind="municipal", parent=None, division_code=None))

    assert_problem(second, 409, "unit.municipal-taken")


async def test_a_parent_must_be_in_the_directory(officer: AsyncClient) -> None:
    orphan = await officer.post(UNITS, json=department("CQKX-BG", parent="NOBODY"))

    assert_problem(orphan, 422, "unit.unknown", at="/parent")


async def test_a_unit_can_be_established_below_a_department(officer: AsyncClient) -> None:
    await officer.post(UNITS, json=department("CQKX-BG"))

    office = await officer.post(UNITS, json=department("CQKX-BG-1", parent="CQKX-BG"))

    assert office.status_code == 201


async def test_a_district_association_without_its_division_is_refused(officer: AsyncClient) -> None:
    assert_problem(
        await officer.post(UNITS, json=district(division_code=None)), 422, "unit.area-needed", at="/division_code"
    )


@pytest.mark.parametrize("code", ["5001", "5001030", "510103", "50010A", "５００１０３"])
async def test_a_division_code_is_six_digits_of_chongqing(officer: AsyncClient, code: str) -> None:
    assert_problem(
        await officer.post(UNITS, json=district(division_code=code)), 422, "request.invalid", at="/division_code"
    )


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"code": "no spaces"}, "/code"),
        ({"kind": "club"}, "/kind"),
        ({"name_zh": "   "}, "/name_zh"),
        ({"name_en": "x" * 201}, "/name_en"),
        ({"effective_on": "yesterday"}, "/effective_on"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_a_request_that_is_not_as_it_should_be_names_the_field(
    officer: AsyncClient, changed: dict[str, Any], pointer: str
) -> None:
    assert_problem(await officer.post(UNITS, json=district(**changed)), 422, "request.invalid", at=pointer)


async def test_what_is_no_json_is_malformed(officer: AsyncClient) -> None:
    reply = await officer.post(UNITS, content='{"code":', headers={"Content-Type": "application/json"})

    assert_problem(reply, 400, "request.malformed")


async def test_a_name_with_a_null_character_is_the_clients_fault(officer: AsyncClient) -> None:
    assert_problem(await officer.post(UNITS, json=district(name_zh="a\0b")), 422, "request.invalid", at="/name_zh")


async def test_no_unit_is_established_in_the_future(officer: AsyncClient) -> None:
    assert_problem(
        await officer.post(UNITS, json=district(effective_on="2199-01-01")),
        422,
        "effective.in-future",
        at="/effective_on",
    )


async def test_a_unit_is_renamed_from_a_given_day_on(officer: AsyncClient, unit: str) -> None:
    reply = await officer.post(f"{unit}/rename", json=name(effective_on="2023-05-01"))

    assert (reply.status_code, reply.json()["version"]) == (200, 2)
    now = (await officer.get(unit)).json()
    assert (now["name_zh"], now["name_en"], now["named_from"]) == ("新名", "New name", "2023-05-01")


async def test_the_name_that_it_bears_already_is_no_second_event(officer: AsyncClient, unit: str) -> None:
    await officer.post(f"{unit}/rename", json=name(effective_on="2023-05-01"))

    again = await officer.post(f"{unit}/rename", json=name())

    assert (again.status_code, again.json()["version"]) == (200, 2)
    assert len((await officer.get(f"{unit}/history")).json()["events"]) == 2


async def test_a_name_from_before_the_present_one_is_refused(officer: AsyncClient, unit: str) -> None:
    await officer.post(f"{unit}/rename", json=name(effective_on="2023-05-01"))

    earlier = await officer.post(f"{unit}/rename", json=name("旧名", "Old name", effective_on="2023-04-30"))

    assert_problem(earlier, 422, "effective.before-predecessor", at="/effective_on")


async def test_whoever_has_seen_an_older_version_is_told(officer: AsyncClient, unit: str) -> None:
    await officer.post(f"{unit}/rename", json=name(effective_on="2023-05-01"))

    late = await officer.post(f"{unit}/rename", json=name("另名", "Other"), headers={"If-Match": '"1"'})

    assert_problem(late, 412, "version.stale")


@pytest.mark.parametrize("path", ["", "/history"])
async def test_an_unknown_unit_is_not_found(officer: AsyncClient, path: str) -> None:
    nobody = f"{UNITS}/01900000-0000-7000-8000-000000000000"

    assert_problem(await officer.get(nobody + path), 404, "unit.not-found")
    assert_problem(await officer.post(f"{nobody}/rename", json=name()), 404, "unit.not-found")


@pytest.mark.parametrize("role", ["reform-office", "measure-lead", "unit-reporter", "auditor", "programme-manager"])
async def test_who_does_not_keep_the_directory_only_reads_it(societies: Door, unit: str, role: str) -> None:
    reader = societies.client_for(role, "CQKX")

    assert_problem(await reader.post(UNITS, json=department("CQKX-BG")), 403, "auth.not-permitted")
    assert_problem(await reader.post(f"{unit}/rename", json=name()), 403, "auth.not-permitted")
    assert (await reader.get(unit)).json()["allowed_actions"] == []


async def test_nobody_enters_without_a_token(societies: Door, unit: str) -> None:
    stranger = societies.client()

    for reply in (await stranger.get(UNITS), await stranger.get(unit), await stranger.post(UNITS, json=district())):
        assert_problem(reply, 401, "auth.token-missing")


async def test_the_list_goes_through_all_units_by_code_page_by_page(officer: AsyncClient, unit: str) -> None:
    for code in ("CQKX-ZZ", "CQKX-BG", "CQKX-XH"):
        await officer.post(UNITS, json=department(code))

    codes, cursor = [], None
    while True:
        page = (await officer.get(UNITS, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        codes.append([unit["code"] for unit in page["items"]])
        if (cursor := page["next"]) is None:
            break

    assert codes == [["CQKX", "CQKX-BG"], ["CQKX-XH", "CQKX-ZZ"], ["KX-YUZHONG"]]


async def test_the_list_can_be_of_one_kind(officer: AsyncClient, unit: str) -> None:
    await officer.post(UNITS, json=department("CQKX-BG"))

    found = (await officer.get(UNITS, params={"kind": "department"})).json()

    assert [unit["code"] for unit in found["items"]] == ["CQKX-BG"]
    assert found["next"] is None


@pytest.mark.parametrize("query", [{"kind": "club"}, {"limit": 0}, {"limit": 201}])
async def test_a_list_that_is_asked_for_wrongly_is_refused(officer: AsyncClient, query: dict[str, Any]) -> None:
    assert_problem(await officer.get(UNITS, params=query), 422, "request.invalid")


async def test_the_history_keeps_every_name_and_who_gave_it(officer: AsyncClient, unit: str) -> None:
    await officer.post(f"{unit}/rename", json=name(effective_on="2023-05-01"))

    history = (await officer.get(f"{unit}/history")).json()

    assert history["chain"] == "ok"
    assert [(one["effective_on"], one["data"]["name_zh"]) for one in history["events"]] == [
        ("2021-01-01", "渝中区科协"),
        ("2023-05-01", "新名"),
    ]
    assert len({one["actor"] for one in history["events"]}) == 1


async def test_a_cursor_that_is_no_code_is_refused(officer: AsyncClient) -> None:
    assert_problem(
        await officer.get(UNITS, params={"cursor": "abc"}), 422, "request.cursor-invalid", at="/query/cursor"
    )
