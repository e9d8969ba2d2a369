"""One milestone on its way, as whoever judges it sends it: through the gateway, in the name of an independent unit."""

from typing import Any

from living import Living


async def verify_one(living: Living) -> tuple[dict[str, Any], str]:
    """Verify the first milestone that waits for a department's judgement: its item, and the position of the command."""
    async with living.client("auditor") as reader:
        units = (await reader.get("/api/v1/units", params={"kind": "department"})).json()["items"]
    for unit in units:
        async with living.client("reform-office", unit["code"]) as judge:
            for item in (await judge.get("/api/v1/items", params={"limit": 200})).json()["items"]:
                for path in item["allowed_actions"]:
                    if path.endswith("/verify"):
                        reply = await judge.post(f"/api/v1/items/{item['id']}/{path}")
                        assert reply.status_code == 200, reply.text
                        return item, reply.json()["position"]
    raise AssertionError("no milestone waits for a judgement")
