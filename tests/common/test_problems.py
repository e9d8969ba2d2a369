"""Whatever goes wrong, a client gets a problem with a stable code, in its language, and never a stack trace."""

from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from builders import plan_body
from common.admission import BODY_BYTES_MAX
from common.problems import language_of
from doors import Door, open_door
from kegai.local.ports import free_port
from kegai.tokens import Keys
from refusals import assert_problem
from servers import Database, database_at

PLANS = "/api/v1/plans"
JSON = {"content-type": "application/json"}


@pytest.fixture
def office(measures: Door) -> httpx.AsyncClient:
    return measures.client_for("reform-office", "CQ")


async def _nothing_is_written(door: Door) -> None:
    for table in ("plan", "item", "event", "outbox", "idempotency"):
        assert await door.pool.fetchval(f"SELECT count(*) FROM {table}") == 0


# ── the language ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "zh"),
        ("", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en;q=0.3, zh-TW;q=0.8", "zh"),
        ("en; q=0.3, zh; q=0.2", "en"),
        ("fr", "zh"),
        ("fr, en;q=0.5", "en"),
        ("en;q=x", "en"),
        ("en; q=0.3, zh; q=0.8", "zh"),
        ("zh; q=0.3, en;Q=0.8", "en"),
        ("en;q=0", "zh"),
        ("en;q=nan, zh;q=0.1", "zh"),
        ("en;q=1e9, zh", "zh"),
        ("enm", "zh"),
        ("EN-us", "en"),
        ("*", "zh"),
    ],
)
def test_the_language_is_the_callers_and_chinese_where_it_says_neither(accepted: str | None, language: str) -> None:
    assert language_of(accepted) == language


async def test_a_problem_speaks_the_callers_language(office: httpx.AsyncClient) -> None:
    told = {}
    for language, tag in (("zh-CN", "zh-CN"), ("en", "en")):
        reply = await office.get(f"{PLANS}/{'0' * 32}", headers={"accept-language": language})
        assert reply.headers["content-language"] == tag
        told[tag] = assert_problem(reply, 404, "plan.not-found")
    assert told["zh-CN"]["title"] == "未找到"
    assert told["en"]["title"] == "Not found"


async def test_the_reasons_of_fields_speak_it_too(office: httpx.AsyncClient) -> None:
    for language, said in (("zh", "此项必填"), ("en", "Field required")):
        reply = await office.post(PLANS, json={}, headers={"accept-language": language})
        problem = assert_problem(reply, 422, "request.invalid", at="/code")
        assert said in {fault["detail"] for fault in problem["errors"]}


async def test_the_instance_is_the_gateways_request_id(office: httpx.AsyncClient) -> None:
    reply = await office.get("/nowhere", headers={"x-request-id": "r-1"})
    assert reply.json()["instance"] == "r-1"


# ── what a request may be ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", [b"{", b"", b"plan", b'{"code": }', b"\xff\xfe", b"\0", b"[1,", b'{"a": "\\ud800"'])
async def test_what_is_no_json_is_malformed(measures: Door, office: httpx.AsyncClient, content: bytes) -> None:
    reply = await office.post(PLANS, content=content, headers=JSON)
    assert reply.status_code in ({422} if content == b"" else {400})
    assert reply.json()["code"] in {"request.malformed", "request.bad-request", "request.invalid"}
    await _nothing_is_written(measures)


@pytest.mark.parametrize("body", [[], "plan", 1, None, True])
async def test_json_that_is_no_object_is_invalid(office: httpx.AsyncClient, body: object) -> None:
    assert_problem(await office.post(PLANS, json=body), 422, "request.invalid")


@pytest.mark.parametrize(
    ("changed", "at"),
    [
        ({"unknown": 1}, "/unknown"),
        ({"code": "a b"}, "/code"),
        ({"code": "X" * 41}, "/code"),
        ({"title_zh": ""}, "/title_zh"),
        ({"title_zh": "   "}, "/title_zh"),
        ({"title_en": "x" * 201}, "/title_en"),
        ({"title_en": 5}, "/title_en"),
        ({"starts_on": "2021-02-30"}, "/starts_on"),
        ({"starts_on": 0}, "/starts_on"),
        ({"effective_on": "yesterday"}, "/effective_on"),
        ({"effective_on": 1600000000}, "/effective_on"),
        ({"aspects": []}, "/aspects"),
        ({"aspects": [{"code": "A", "name_zh": "甲", "name_en": "A", "unknown": 1}]}, "/aspects/0/unknown"),
        ({"phases": [{}]}, "/phases/0/mode"),
    ],
)
async def test_a_field_that_is_not_as_it_should_be_is_pointed_at(
    measures: Door, office: httpx.AsyncClient, changed: dict[str, object], at: str
) -> None:
    assert_problem(await office.post(PLANS, json=plan_body(**changed)), 422, "request.invalid", at=at)
    await _nothing_is_written(measures)


@pytest.mark.parametrize("day", [0, "0", "1640995200", "2022-06-30T00:00:00", "20220630", " 2022-06-30", "2022-02-30"])
async def test_nothing_but_a_date_is_taken_for_one(measures: Door, office: httpx.AsyncClient, day: object) -> None:
    body = plan_body()
    body["phases"][0] = {**body["phases"][0], "starts_on": day}
    assert_problem(await office.post(PLANS, json=body), 422, "request.invalid", at="/phases/0/starts_on")
    assert_problem(
        await office.post(PLANS, json=plan_body(effective_on=day)), 422, "request.invalid", at="/effective_on"
    )
    reply = await office.get("/api/v1/items", params={"due_to": str(day)})
    assert_problem(reply, 422, "request.invalid", at="/query/due_to")
    await _nothing_is_written(measures)


@pytest.mark.parametrize(
    ("path", "body", "at"),
    [
        ("/scoring-policy", {"thresholds": {"yellow_overdue_days": False}}, "/thresholds/yellow_overdue_days"),
        ("/scoring-policy", {"thresholds": {"yellow_overdue_days": "30"}}, "/thresholds/yellow_overdue_days"),
        ("/adopt", {"issuer": 1, "document_number": "1"}, "/issuer"),
    ],
)
async def test_what_only_looks_like_a_value_of_its_kind_is_refused(
    office: httpx.AsyncClient, path: str, body: object, at: str
) -> None:
    address = (await office.post(PLANS, json=plan_body())).headers["location"]
    assert_problem(await office.post(f"{address}{path}", json=body), 422, "request.invalid", at=at)


@pytest.mark.parametrize(
    ("row", "at"),
    [
        ({"number": True}, "/rows/0/number"),
        ({"number": "1"}, "/rows/0/number"),
        ({"number": 1, "version": "1"}, "/rows/0/version"),
    ],
)
async def test_the_rows_of_a_batch_are_read_as_strictly(
    office: httpx.AsyncClient, row: dict[str, object], at: str
) -> None:
    rows = [{"item": "0" * 32, **row}]
    reply = await office.post("/api/v1/items/verify-batch", json={"rows": rows})
    assert_problem(reply, 422, "request.invalid", at=at)


async def test_a_zero_character_is_refused_and_nothing_is_written(measures: Door, office: httpx.AsyncClient) -> None:
    reply = await office.post(PLANS, json=plan_body(title_zh="甲\0乙"))
    assert_problem(reply, 422, "request.invalid", at="/title_zh")
    await _nothing_is_written(measures)


async def test_half_a_character_is_refused(office: httpx.AsyncClient) -> None:
    body = plan_body(title_zh="MARK")
    content = httpx.Request("POST", "/", json=body).content.replace(b"MARK", b"\\ud800")
    reply = await office.post(PLANS, content=content, headers=JSON)
    assert reply.status_code in {400, 422}


async def test_a_body_beyond_the_limit_is_refused(measures: Door, office: httpx.AsyncClient) -> None:
    reply = await office.post(PLANS, json=plan_body(title_zh="x" * (BODY_BYTES_MAX + 1)))
    assert_problem(reply, 413, "request.too-large")
    await _nothing_is_written(measures)


async def test_a_body_beyond_the_limit_is_refused_though_it_does_not_say_its_length(office: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert_problem(await office.post(PLANS, content=endless(), headers=JSON), 413, "request.too-large")


async def test_a_body_at_the_limit_is_read(office: httpx.AsyncClient) -> None:
    reply = await office.post(PLANS, content=b" " * BODY_BYTES_MAX, headers=JSON)
    assert reply.status_code != 413


async def test_there_is_nothing_at_an_unknown_address(office: httpx.AsyncClient) -> None:
    for path in ("/api/v1/nowhere", f"{PLANS}/", "//api/v1/plans"):
        assert_problem(await office.get(path), 404, "request.no-such-address")


async def test_a_method_that_is_not_offered_is_named_so(office: httpx.AsyncClient) -> None:
    assert_problem(await office.delete(PLANS), 405, "request.method-not-allowed")


@pytest.mark.parametrize(
    ("path", "there_are"),
    [
        (PLANS, "GET, POST"),
        (f"{PLANS}/{'0' * 32}", "GET"),
        (f"{PLANS}/{'0' * 32}/adopt", "POST"),
        ("/api/v1/items/verify-batch", "POST"),
        (f"/api/v1/evidence-files/{'0' * 64}", "GET, PUT"),
    ],
)
async def test_a_method_that_is_not_offered_names_those_that_are(
    office: httpx.AsyncClient, path: str, there_are: str
) -> None:
    reply = await office.delete(path)
    assert_problem(reply, 405, "request.method-not-allowed")
    assert reply.headers["allow"] == there_are


@pytest.mark.parametrize("path", [f"{PLANS}/1", f"{PLANS}?limit=0", f"{PLANS}?limit=201", f"{PLANS}?limit=x"])
async def test_a_parameter_that_is_not_as_it_should_be_is_refused(office: httpx.AsyncClient, path: str) -> None:
    assert_problem(await office.get(path), 422, "request.invalid")


@pytest.mark.parametrize("headers", [{"if-match": "seven"}, {"if-match": '"-1"'}, {"idempotency-key": "k" * 201}])
async def test_a_header_that_is_not_as_it_should_be_is_refused(
    measures: Door, office: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    reply = await office.post(PLANS, json=plan_body(), headers=headers)
    assert reply.status_code == 422
    await _nothing_is_written(measures)


# ── what may befall us ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_save_that_fails_is_never_a_success(
    measures: Door, office: httpx.AsyncClient, database_owner: asyncpg.Connection
) -> None:
    await database_owner.execute("REVOKE INSERT ON outbox FROM measures_app")
    reply = await office.post(PLANS, json=plan_body(), headers={"x-request-id": "r-1"})
    problem = assert_problem(reply, 500, "internal.fault")
    assert "r-1" in problem["detail"]
    assert "outbox" not in reply.text
    await _nothing_is_written(measures)


@pytest.fixture
async def database_owner(measures: Door) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(measures.database.owner_url)
    yield connection
    await connection.close()


async def test_without_its_database_the_door_asks_to_come_back(keys: Keys) -> None:
    nowhere = database_at(f"postgresql://127.0.0.1:{free_port()}", "measures", "measures")
    async with open_door(nowhere, keys) as door:
        for client in (door.client_for("reform-office", "CQ"), door.client_for("reform-office")):
            for reply in (await client.get(PLANS), await client.post(PLANS, json=plan_body())):
                assert_problem(reply, 503, "database.away")
                assert int(reply.headers["retry-after"]) > 0


async def test_connections_that_the_server_ends_are_made_anew(measures: Door, office: httpx.AsyncClient) -> None:
    """What a client meets just then is a 503 and never a 500; after that all is well."""
    await office.post(PLANS, json=plan_body())
    colleague = await asyncpg.connect(measures.database.app_url)
    ended = await colleague.fetch(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE application_name = 'measures-api' AND datname = current_database()"
    )
    await colleague.close()
    assert ended
    replies = [await office.get(PLANS) for _ in range(len(ended) + 1)]
    assert {reply.status_code for reply in replies} <= {200, 503}
    assert replies[-1].status_code == 200


async def test_keys_that_cannot_be_had_are_503(measures: Door, keys: Keys) -> None:
    async with open_door(measures.database, keys, jwks="/nowhere/jwks.json") as door:
        reply = await door.client_for("reform-office").get(PLANS)
        assert_problem(reply, 503, "auth.keys-away")
        assert int(reply.headers["retry-after"]) > 0


def test_the_databases_addresses_are_those_of_its_two_roles() -> None:
    assert database_at("postgresql://a:b@h:1/x", "n", "measures") == Database(
        "measures", "postgresql://measures_app:of-the-tests@h:1/n", "postgresql://measures_owner:of-the-tests@h:1/n"
    )
