"""Of two commands that contradict each other, given to two processes in one moment, the second is refused.

The first is held up in the middle of its saving, with all that it has locked in its hands, until the second has looked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final
from uuid import UUID

import asyncpg
import httpx
import pytest

from builders import item_body, plan_body
from doors import Door
from local_plans import LOCAL_PLANS, local_plan_body
from measures.item.store import items
from measures.local_plan.store import local_plans
from measures.measure.domain import measure_id
from measures.measure.store import measures as measures_store
from measures.plan.store import plans
from moments import HOLD_UP, Command, together

ITEMS, MEASURES = "/api/v1/items", "/api/v1/measures"
WHY: Final = {"reason": "误销号", "authority": "会议纪要 2023-5"}


@pytest.fixture
async def other(measures: Door, door_of: Callable[..., Awaitable[Door]]) -> Door:
    """A second process of the same service on the same database."""
    return await door_of("measures", database=measures.database)


@pytest.fixture
def there(other: Door) -> httpx.AsyncClient:
    """The office, at the door of the other process."""
    return other.client_for("reform-office", "CQ")


@pytest.fixture
async def watcher(measures: Door) -> AsyncIterator[asyncpg.Connection]:
    """Who looks at the database from beside, as its owner."""
    connection = await asyncpg.connect(measures.database.owner_url)
    await connection.execute(HOLD_UP)
    yield connection
    await connection.close()


async def say(client: httpx.AsyncClient, address: str, **body: Any) -> httpx.Response:
    return await client.post(address, json=body)


async def done(client: httpx.AsyncClient, address: str, **body: Any) -> str:
    """The address of what a command made or changed that must not be refused."""
    reply = await say(client, address, **body)
    assert reply.is_success, reply.text
    return str(reply.headers.get("location", address))


async def strike_off(office: httpx.AsyncClient, reporter: httpx.AsyncClient, item: str) -> None:
    """An item that was just listed goes all its way."""
    for client, step, body in (
        (office, "assign", {}),
        (reporter, "acknowledge", {}),
        (reporter, "start", {}),
        (reporter, "milestones/1/report", {"attained_on": "2022-06-01"}),
        (office, "milestones/1/verify", {}),
        (reporter, "report-done", {"claim": "完成"}),
        (office, "close", {}),
    ):
        await done(client, f"{item}/{step}", **body, effective_on="2022-07-01")


def codes(*replies: httpx.Response) -> list[str | int]:
    """What each was refused with, or that it was not."""
    return [reply.status_code if reply.is_success else reply.json()["code"] for reply in replies]


@pytest.fixture
def unguarded(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Call it: then nobody has a turn, and nothing that is created looks at its ground."""

    def take_away() -> None:
        for store in (plans, local_plans, measures_store, items):
            monkeypatch.setattr(store, "_ground", "SELECT $1::uuid")
        for store in (local_plans, items):
            create = store.create
            monkeypatch.setattr(store, "create", lambda call, decide, create=create, ground=None: create(call, decide))
        monkeypatch.setattr("measures.item.commands.AS_THEY_ARE", "SELECT $1::uuid[]")

    return take_away


GUARDED: Final = pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])


# ── an item is added while its measure is submitted ──────────────────────────────────────────────────────────────────


@pytest.fixture
async def ended(office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str, item: str) -> str:
    """The address of a measure that ORG leads and all of whose items have ended."""
    measure = f"{MEASURES}/{measure_id(UUID(plan.rsplit('/', 1)[1]), 'A1')}"
    await done(office, f"{measure}/lead", lead_unit="SOC", effective_on="2022-01-05")
    await done(office, f"{measure}/launch", effective_on="2022-01-10")
    await strike_off(office, reporter, item)
    return measure


@pytest.fixture
def lead(measures: Door) -> httpx.AsyncClient:
    return measures.client_for("measure-lead", "SOC")


@GUARDED
@pytest.mark.parametrize("added_first", [True, False])
async def test_no_item_is_added_in_the_moment_of_its_measures_submission(
    measures: Door, watcher: asyncpg.Connection, there: httpx.AsyncClient, lead: httpx.AsyncClient, ended: str,
    unguarded: Callable[[], None], guarded: bool, added_first: bool,
) -> None:  # fmt: skip
    if not guarded:
        unguarded()

    async def add() -> httpx.Response:
        return await say(there, ITEMS, **item_body())

    async def submit() -> httpx.Response:
        return await say(lead, f"{ended}/submit")

    both = await together(watcher, *((add, submit) if added_first else (submit, add)))
    if not guarded:
        assert codes(*both) in ([201, 200], [200, 201])
    else:
        assert codes(*both) == ([201, "measure.open-items"] if added_first else [200, "measure.takes-no-items"])


# ── an item is reopened while its plan, or its local plan, is closed ─────────────────────────────────────────────────


@GUARDED
@pytest.mark.parametrize("reopened_first", [True, False])
async def test_no_item_is_reopened_in_the_moment_of_its_plans_closing(
    measures: Door, watcher: asyncpg.Connection, office: httpx.AsyncClient, there: httpx.AsyncClient, plan: str,
    ended: str, item: str, unguarded: Callable[[], None], guarded: bool, reopened_first: bool,
) -> None:  # fmt: skip
    assert ended
    await done(office, f"{plan}/phases/P1/enter", effective_on="2022-01-05")
    await done(office, f"{plan}/start-final-evaluation", effective_on="2022-08-01")
    if not guarded:
        unguarded()

    async def reopen() -> httpx.Response:
        return await say(there, f"{item}/reopen", **WHY)

    async def close() -> httpx.Response:
        return await say(office, f"{plan}/close")

    both = await together(watcher, *((reopen, close) if reopened_first else (close, reopen)))
    if not guarded:
        assert codes(*both) == [200, 200]
    else:
        assert codes(*both) == [200, "plan.still-open" if reopened_first else "item.plan-over"]


@pytest.fixture
async def local(office: httpx.AsyncClient, reporter: httpx.AsyncClient, plan: str) -> str:
    """The address of ORG's own plan, which is on file."""
    address = await done(reporter, LOCAL_PLANS, **local_plan_body())
    await done(reporter, f"{address}/submit", effective_on="2022-02-20")
    await done(office, f"{address}/file", filing_number="备案1", effective_on="2022-03-20")
    return address


@pytest.fixture
def local_item() -> dict[str, Any]:
    """An item of ORG's own plan as a request says it."""
    return item_body(code="YB-A1-01", local_plan="ORG-2022", co_units=[], effective_on="2022-03-20")


@GUARDED
@pytest.mark.parametrize("first", ["add", "reopen", "close"])
async def test_nothing_begins_in_a_local_plan_in_the_moment_of_its_closing(
    measures: Door, watcher: asyncpg.Connection, office: httpx.AsyncClient, reporter: httpx.AsyncClient,
    there: httpx.AsyncClient, local: str, local_item: dict[str, Any], unguarded: Callable[[], None], guarded: bool,
    first: str,
) -> None:  # fmt: skip
    closed_item = await done(office, ITEMS, **local_item)
    await strike_off(office, reporter, closed_item)
    if not guarded:
        unguarded()

    async def add() -> httpx.Response:
        return await say(there, ITEMS, **local_item | {"code": "YB-A1-02"})

    async def reopen() -> httpx.Response:
        return await say(there, f"{closed_item}/reopen", **WHY)

    async def close() -> httpx.Response:
        return await say(office, f"{local}/close", reason="均已了结")

    pair = {"add": (add, close), "reopen": (reopen, close), "close": (close, add)}[first]
    refused = {"add": "local-plan.items-open", "reopen": "local-plan.items-open", "close": "local-plan.wrong-state"}[
        first
    ]
    both = await together(watcher, *pair)
    assert all(reply.is_success for reply in both) if not guarded else codes(*both)[1] == refused


# ── of two items each is merged into the other, or one ends meanwhile ────────────────────────────────────────────────


@GUARDED
@pytest.mark.parametrize("ends_by", ["merge", "cancel"])
async def test_no_item_is_merged_into_one_that_ends_in_that_moment(
    measures: Door, watcher: asyncpg.Connection, office: httpx.AsyncClient, there: httpx.AsyncClient, item: str,
    unguarded: Callable[[], None], guarded: bool, ends_by: str,
) -> None:  # fmt: skip
    into = await done(office, ITEMS, **item_body(code="A1-INTO"))
    own = (await office.get(item)).json()["code"]
    if not guarded:
        unguarded()

    async def end() -> httpx.Response:
        return await say(there, f"{into}/{ends_by}", **WHY, **({"into": own} if ends_by == "merge" else {}))

    async def merge() -> httpx.Response:
        return await say(office, f"{item}/merge", into="A1-INTO", **WHY)

    both = await together(watcher, end, merge)
    assert codes(*both) == [200, "item.merged-into-ended" if guarded else 200]


# ── two go on with one ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_successor_goes_on_with_an_item_once_whatever_it_calls_it(
    measures: Door, watcher: asyncpg.Connection, office: httpx.AsyncClient, there: httpx.AsyncClient, plan: str,
    item: str,
) -> None:  # fmt: skip
    years = {"starts_on": "2026-01-01", "ends_on": "2030-12-31", "effective_on": "2026-01-10"}
    phase = plan_body()["phases"][0] | {"starts_on": "2026-01-01", "ends_on": "2026-12-31"}
    successor = await done(office, "/api/v1/plans", **plan_body(code="PLAN-2", phases=[phase]) | years)
    await done(office, f"{successor}/adopt", issuer="机关", document_number="1", effective_on="2026-02-01")
    await done(office, f"{plan}/phases/P1/enter", effective_on="2022-01-05")
    await done(office, f"{plan}/start-final-evaluation", effective_on="2026-01-05")
    await done(office, f"{item}/carry-over", successor="PLAN-2", **WHY, effective_on="2026-03-31")
    anew = {"item": item.rsplit("/", 1)[1], "planned_start_on": "2026-04-01", "due_on": "2027-06-30"}

    def go_on(client: httpx.AsyncClient, code: str) -> Command:
        return lambda: say(client, f"{ITEMS}/continuations", **anew, code=code)

    both = await together(watcher, go_on(office, "ONE"), go_on(there, "TWO"))
    assert codes(*both) == [201, "item.continued-already"]
    assert (await office.get(both[0].headers["location"])).json()["continues"] == anew["item"]


# ── a turn ends ──────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_many_turns_at_once_leave_connections_to_the_others(
    measures: Door, office: httpx.AsyncClient, plan: str
) -> None:
    addresses = [await done(office, ITEMS, **item_body()) for _ in range(12)]
    own = [(await office.get(address)).json()["code"] for address in addresses]
    ring = zip(addresses, [*own[1:], own[0]], strict=True)
    replies = await asyncio.gather(*(say(office, f"{address}/merge", into=into, **WHY) for address, into in ring))
    assert set(codes(*replies)) <= {200, "item.merged-into-ended"}
    states = [(await office.get(address)).json()["state"] for address in addresses]
    assert "draft" in states, "all were merged into each other, so that nothing is done"


async def test_what_is_refused_in_a_turn_leaves_nothing_held(
    measures: Door, office: httpx.AsyncClient, item: str
) -> None:
    for _ in range(2):
        assert codes(await say(office, f"{item}/merge", into="NOWHERE", **WHY)) == ["item.unknown"]
    await done(office, ITEMS, **item_body())


async def test_a_command_that_is_sent_again_gets_the_reply_that_it_got_in_its_turn(
    measures: Door, office: httpx.AsyncClient, item: str
) -> None:
    await done(office, ITEMS, **item_body(code="A1-INTO"))
    once = measures.client_for("reform-office", "CQ", idempotency_key="merge-1")
    first, again = [await say(once, f"{item}/merge", into="A1-INTO", **WHY) for _ in range(2)]
    assert (first.status_code, again.content, again.headers["etag"]) == (200, first.content, first.headers["etag"])
