"""A verified milestone travels from the API to the view and the stream, through the real gateway, as a user sees it."""

import re

import pytest
from aiokafka import AIOKafkaProducer

from eventually import eventually
from living import Living
from walking import verify_one

pytestmark = pytest.mark.xdist_group("journeys")


async def test_every_link_of_the_banner_answers(living: Living) -> None:
    links = [word for word in living.banner.split() if word.startswith("http://")]
    assert len(links) >= 4
    async with living.client() as reader:
        for link in links:
            async with reader.stream("GET", link) as reply:
                assert reply.status_code == 200, link


async def test_up_proves_itself_with_a_milestone_of_its_own(living: Living) -> None:
    proof = next(line for line in living.banner.splitlines() if " proof " in line)
    assert "verified through the gateway" in proof


async def test_a_verified_milestone_is_on_the_stream_and_in_the_view_with_the_same_figures(living: Living) -> None:
    async with living.client() as reader, living.arrivals() as arrivals:
        item, position = await verify_one(living)
        async for arrival in arrivals:
            if position in arrival["positions"]:
                break
        view = await reader.get(f"/api/v1/progress/measures/{item['measure']}", params={"min_position": position})
    assert view.json()["measure"]["milestones"] == arrival["milestones"]
    assert view.json()["measure"]["progress"] == arrival["progress"]


async def test_the_seeds_are_the_plan_of_four_aspects_and_fifteen_measures(living: Living) -> None:
    async with living.client() as reader:
        plan = (await reader.get("/api/v1/progress/plans/CQ-KX-2021-2025")).json()["plan"]
    measures = {aspect["code"]: len(aspect["measures"]) for aspect in plan["aspects"]}
    assert measures == {"A": 2, "B": 3, "C": 3, "D": 7}
    assert "95 items (sample data)" in living.banner
    assert plan["state"] == "in-force"


async def test_a_second_up_shows_the_status_of_the_first(living: Living) -> None:
    assert "processes are ready" in living.kegai("up")


async def test_without_a_token_the_gateway_refuses_in_the_services_own_shape(living: Living) -> None:
    async with living.client() as nobody:
        reply = await nobody.get("/api/v1/items")
    assert reply.status_code == 401
    assert reply.headers["content-type"].startswith("application/problem+json")
    assert {"code", "title", "detail"} <= reply.json().keys()


def parked_by(living: Living) -> int:
    """How many parked records the headline of `kegai status` tells of."""
    return int(re.search(r"(\d+) are parked", living.kegai("status", expect=None)).group(1))  # type: ignore[union-attr]


async def test_a_poison_record_is_parked_and_shown_while_the_partition_goes_on(living: Living) -> None:
    before = parked_by(living)
    producer = AIOKafkaProducer(bootstrap_servers=living.stack.kafka_bootstrap)
    await producer.start()
    for partition in range(6):
        await producer.send_and_wait("cqast.measures.events.v1", b"{", key=b"nobody", partition=partition)
    await producer.stop()

    async def parked() -> bool:
        return parked_by(living) == before + 6

    await eventually(parked, seconds=20)
    async with living.client() as reader:
        item, position = await verify_one(living)
        view = await reader.get(f"/api/v1/progress/measures/{item['measure']}", params={"min_position": position})
    assert view.status_code == 200
